"""Glue workflow runs."""

from collections.abc import Mapping
from dataclasses import dataclass

from etl.aws.clients import client


def read_run_properties(workflow_name: str, run_id: str) -> Mapping[str, str]:
    answer = client("glue").get_workflow_run_properties(Name=workflow_name, RunId=run_id)
    return answer["RunProperties"]


def start_run(workflow_name: str, properties: Mapping[str, str]) -> str:
    """Start the workflow and return the run's id, which is also Lakegate's run id."""
    answer = client("glue").start_workflow_run(Name=workflow_name, RunProperties=dict(properties))
    return answer["RunId"]


@dataclass(frozen=True, slots=True)
class JobRun:
    """`workflow_name` and `workflow_run_id` are empty for a job that was started by hand."""

    workflow_name: str
    workflow_run_id: str
    log_group: str


def find_job_run(job_name: str, job_run_id: str) -> JobRun:
    run = client("glue").get_job_run(JobName=job_name, RunId=job_run_id)["JobRun"]
    arguments = run.get("Arguments", {})
    return JobRun(
        workflow_name=arguments.get("--WORKFLOW_NAME", ""),
        workflow_run_id=arguments.get("--WORKFLOW_RUN_ID", ""),
        log_group=f"{run.get('LogGroupName') or '/aws-glue/jobs'}/error",
    )
