"""Glue workflow runs."""

from collections.abc import Mapping

from etl.aws.clients import client


def read_run_properties(workflow_name: str, run_id: str) -> Mapping[str, str]:
    answer = client("glue").get_workflow_run_properties(Name=workflow_name, RunId=run_id)
    return answer["RunProperties"]


def start_run(workflow_name: str, properties: Mapping[str, str]) -> str:
    """Start the workflow and return the run's id, which is also Lakegate's run id."""
    answer = client("glue").start_workflow_run(Name=workflow_name, RunProperties=dict(properties))
    return answer["RunId"]


def find_workflow_run(job_name: str, job_run_id: str) -> tuple[str, str]:
    """(workflow name, workflow run id) that a job run belongs to; empty strings for one started by hand."""
    run = client("glue").get_job_run(JobName=job_name, RunId=job_run_id)["JobRun"]
    arguments = run.get("Arguments", {})
    return arguments.get("--WORKFLOW_NAME", ""), arguments.get("--WORKFLOW_RUN_ID", "")
