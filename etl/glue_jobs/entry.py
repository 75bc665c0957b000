"""What all job scripts do: settings, and batch if there is one, from the arguments; then the work."""

import gc
import json
import logging
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
from etl.aws.object_store import find_key, write_object
from etl.aws.workflow import read_chain
from etl.batch import from_run_properties
from etl.errors import LakegateError, RunFailed
from etl.job_log import start_log
from etl.maintenance import run_maintenance
from etl.maintenance_report import MaintenanceReport
from etl.operations.failure import JobError
from etl.run_files import error_key
from etl.run_report import GateReport, MergeReport
from etl.settings import from_job_arguments, from_maintenance_arguments

logger = logging.getLogger(__name__)

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
        _leave_record(step, arguments, error)
        raise error from None  # what caused it may quote a row, and would be printed with it
    except Exception as error:
        for frame in traceback.extract_tb(error.__traceback__):
            print(f"  {frame.filename}:{frame.lineno} in {frame.name}", file=sys.stderr)
        failure = RunFailed(step, explain(error))
        _leave_record(step, arguments, failure)
        raise failure from None
    finally:
        gc.freeze()  # the process ends now; going through all of its objects once more takes a second


def _leave_record(step: Step, arguments: Mapping[str, str], error: LakegateError) -> None:
    """Tell the handler of failures which error it was; without a record it goes by Glue's message."""
    if step == "maintain":
        return
    try:
        key = error_key(arguments["dataset"], arguments["WORKFLOW_RUN_ID"], step)
        record = JobError.of(error, arguments["JOB_RUN_ID"]).to_json()
        write_object(arguments["docs_bucket"], key, record.encode(), "application/json")
    except Exception as problem:  # the error itself is what has to be told
        logger.error("no record of the error was left: %s", explain(problem))


def _run(step: Step, arguments: Mapping[str, str]) -> GateReport | MergeReport | MaintenanceReport:
    if step == "maintain":
        settings = from_maintenance_arguments(arguments)
        return run_maintenance(settings.run_id, Lake(settings), datetime.now(UTC))
    settings = from_job_arguments(arguments)
    chain = read_chain(settings.workflow_name, settings.run_id)
    batch, mode = from_run_properties(chain.properties, find_key)
    lake = Lake(settings, chain.run_ids[1:])
    if step == "gate" or chain.run_ids[1:]:
        lake.begin_run(batch, chain.properties.get("trigger", "unknown"), mode)
    if step == "gate":
        return pipeline.run_gate(batch, settings.run_id, lake)
    pa.set_memory_pool(pa.system_memory_pool())  # Arrow's own keeps what is freed: 100 MB of a merge's peak
    return pipeline.run_merge(batch, mode, settings.run_id, lake)
