"""What both job scripts do: settings and batch from the arguments, then the pipeline."""

import gc
import json
import logging
import sys
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from typing import Literal

from etl import pipeline
from etl.aws.clients import explain
from etl.aws.lake import Lake
from etl.aws.workflow import read_run_properties
from etl.batch import from_run_properties
from etl.errors import LakegateError, RunFailed
from etl.run_report import GateReport, MergeReport
from etl.settings import from_job_arguments


def run_job(step: Literal["gate", "merge"], arguments: Mapping[str, str]) -> None:
    """Run one step of the workflow run that the arguments name; the report is the last line of the log.

    An error leaves as an exception: Glue makes its class and message the job run's error message. Only errors
    of our own do, since what any other says may quote a row; of those, the log gets the places alone.
    """
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
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


def _run(step: Literal["gate", "merge"], arguments: Mapping[str, str]) -> GateReport | MergeReport:
    settings = from_job_arguments(arguments)
    batch, mode = from_run_properties(read_run_properties(settings.workflow_name, settings.run_id))
    lake = Lake(settings)
    if step == "gate":
        return pipeline.run_gate(batch, settings.run_id, lake)
    return pipeline.run_merge(batch, mode, settings.run_id, lake)
