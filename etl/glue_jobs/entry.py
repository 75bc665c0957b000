"""What all job scripts do: settings, and batch if there is one, from the arguments; then the work."""

import gc
import json
import sys
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Literal

import pyarrow as pa

from etl import pipeline
from etl.aws.clients import explain
from etl.aws.lake import Lake
from etl.aws.object_store import find_key
from etl.aws.workflow import read_run_properties
from etl.batch import from_run_properties
from etl.errors import LakegateError, RunFailed
from etl.job_log import start_log
from etl.maintenance import run_maintenance
from etl.maintenance_report import MaintenanceReport
from etl.run_report import GateReport, MergeReport
from etl.settings import from_job_arguments, from_maintenance_arguments

Step = Literal["gate", "merge", "maintain"]


def run_job(step: Step, arguments: Mapping[str, str]) -> None:
    """Run one step on what the arguments name; the report is the last line of the log.

    An error leaves as an exception: Glue makes its class and message the job run's error message. Only errors
    of our own do, since what any other says may quote a row; of those, the log gets the places alone.
    """
    start_log()
    try:
        print(json.dumps(asdict(_run(step, arguments))))
    except LakegateError as error:
        raise error from None  # what caused it may quote a row, and would be printed with it
    except Exception as error:
        for frame in traceback.extract_tb(error.__traceback__):
            print(f"  {frame.filename}:{frame.lineno} in {frame.name}", file=sys.stderr)
        raise RunFailed(step, explain(error)) from None
    finally:
        gc.freeze()  # the process ends now; going through all of its objects once more takes a second


def _run(step: Step, arguments: Mapping[str, str]) -> GateReport | MergeReport | MaintenanceReport:
    if step == "maintain":
        settings = from_maintenance_arguments(arguments)
        return run_maintenance(settings.run_id, Lake(settings), datetime.now(UTC))
    settings = from_job_arguments(arguments)
    properties = read_run_properties(settings.workflow_name, settings.run_id)
    batch, mode = from_run_properties(properties, find_key)
    lake = Lake(settings)
    if step == "gate":
        lake.begin_run(batch, properties.get("trigger", "unknown"), mode)
        return pipeline.run_gate(batch, settings.run_id, lake)
    pa.set_memory_pool(pa.system_memory_pool())  # Arrow's own keeps what is freed: 100 MB of a merge's peak
    return pipeline.run_merge(batch, mode, settings.run_id, lake)
