"""Glue workflow runs, and the job runs in them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from etl.aws.clients import client

ACTIVE_STATUSES = frozenset({"RUNNING", "STOPPING"})
FAILED_STATES = frozenset({"ERROR", "FAILED", "STOPPED", "TIMEOUT"})
_GONE = "EntityNotFoundException"  # Glue forgets a run after 90 days


@dataclass(frozen=True, slots=True)
class RunChain:
    """A workflow run and those that it resumes, newest first; `properties` are the first one's."""

    run_ids: tuple[str, ...]
    properties: Mapping[str, str]

    @property
    def first(self) -> str:
        return self.run_ids[-1]


def read_chain(workflow_name: str, run_id: str) -> RunChain:
    """Follow the runs back to the first.

    Glue documents that a resumed run names the run before it, not whether it has the properties of that one;
    so they are looked for on the way. https://docs.aws.amazon.com/glue/latest/dg/resuming-workflow.html
    """
    run_ids, properties = [run_id], {}
    while True:
        run = client("glue").get_workflow_run(Name=workflow_name, RunId=run_ids[-1])["Run"]
        properties = run.get("WorkflowRunProperties", {}) | properties
        if not (previous := run.get("PreviousRunId")):
            return RunChain(tuple(run_ids), properties)
        run_ids.append(previous)


def find_chain(workflow_name: str, run_id: str) -> RunChain | None:
    """As read_chain; None if Glue knows no such run."""
    try:
        return read_chain(workflow_name, run_id)
    except ClientError as error:
        if error.response["Error"]["Code"] != _GONE:
            raise
        return None


def start_run(workflow_name: str, properties: Mapping[str, str]) -> str:
    """Start the workflow and return the run's id, which is also Lakegate's run id."""
    answer = client("glue").start_workflow_run(Name=workflow_name, RunProperties=dict(properties))
    return answer["RunId"]


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """`has_ended_badly` is true of runs that Glue calls COMPLETED too, as it calls all that end."""

    run_id: str
    previous_run_id: str | None
    status: str
    started_at: datetime
    has_ended_badly: bool


def list_runs(workflow_name: str) -> tuple[WorkflowRun, ...]:
    """All that Glue remembers, which is 90 days; without their graphs, so that it is cheap."""
    runs: list[WorkflowRun] = []
    asked = {"Name": workflow_name}
    while True:  # the boto3 of Lambda's runtime may know no paginator for it
        page = client("glue").get_workflow_runs(**asked)
        runs += map(_workflow_run, page["Runs"])
        if not (token := page.get("NextToken")):
            return tuple(runs)
        asked["NextToken"] = token


def is_over(workflow_name: str, run_id: str) -> bool:
    """Whether the run has ended; so has one that Glue has forgotten."""
    try:
        return find_run(workflow_name, run_id).status not in ACTIVE_STATUSES
    except ClientError as error:
        if error.response["Error"]["Code"] != _GONE:
            raise
        return True


def find_run(workflow_name: str, run_id: str) -> WorkflowRun:
    return _workflow_run(client("glue").get_workflow_run(Name=workflow_name, RunId=run_id)["Run"])


def find_resuming(workflow_name: str, run_id: str) -> str | None:
    """The run that resumes this one, whoever had it resumed."""
    runs = list_runs(workflow_name)
    return next((run.run_id for run in runs if run.previous_run_id == run_id), None)


def _workflow_run(run: Mapping[str, Any]) -> WorkflowRun:
    counts = run.get("Statistics", {})
    bad = ("FailedActions", "TimeoutActions", "StoppedActions", "ErroredActions")
    return WorkflowRun(
        run_id=run["WorkflowRunId"],
        previous_run_id=run.get("PreviousRunId"),
        status=run["Status"],
        started_at=run["StartedOn"],
        has_ended_badly=run["Status"] not in ACTIVE_STATUSES and any(counts.get(name) for name in bad),
    )


def failed_jobs(workflow_name: str, run_id: str) -> Iterator[tuple[str, str]]:
    """Job and job run of each job of the run whose newest job run ended badly."""
    for node in _nodes(workflow_name, run_id):
        runs = node.get("JobDetails", {}).get("JobRuns", [])
        if runs and (newest := max(runs, key=lambda run: run["StartedOn"]))["JobRunState"] in FAILED_STATES:
            yield node["Name"], newest["Id"]


def resume_run(workflow_name: str, run_id: str, job_name: str) -> str:
    """Run the job and what follows from it again, and return the id of the run which that makes."""
    nodes = _nodes(workflow_name, run_id)
    node_id = next(n["UniqueId"] for n in nodes if n["Type"] == "JOB" and n["Name"] == job_name)
    answer = client("glue").resume_workflow_run(Name=workflow_name, RunId=run_id, NodeIds=[node_id])
    return answer["RunId"]


def _nodes(workflow_name: str, run_id: str) -> list[dict[str, Any]]:
    run = client("glue").get_workflow_run(Name=workflow_name, RunId=run_id, IncludeGraph=True)["Run"]
    return run["Graph"]["Nodes"]


@dataclass(frozen=True, slots=True)
class JobRun:
    """`workflow_name` and `workflow_run_id` are empty for a job that was started by hand."""

    workflow_name: str
    workflow_run_id: str
    log_group: str
    state: str
    message: str
    ended_at: datetime


def find_job_run(job_name: str, job_run_id: str) -> JobRun:
    run = client("glue").get_job_run(JobName=job_name, RunId=job_run_id)["JobRun"]
    arguments = run.get("Arguments", {})
    return JobRun(
        workflow_name=arguments.get("--WORKFLOW_NAME", ""),
        workflow_run_id=arguments.get("--WORKFLOW_RUN_ID", ""),
        log_group=f"{run.get('LogGroupName') or '/aws-glue/jobs'}/error",
        state=run["JobRunState"],
        message=run.get("ErrorMessage", ""),
        ended_at=(run.get("CompletedOn") or run["LastModifiedOn"]).astimezone(UTC),
    )
