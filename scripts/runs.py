"""Workflow runs, watched from outside as an operator would."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from etl.run_files import gate_report_key, merge_report_key
from etl.run_report import RowCounts
from scripts.offline_machine import Machine

COUNTS = tuple(f.name for f in fields(RowCounts))
_POLL_SECONDS = 0.25


class RunNotSeen(Exception):
    """The message says what was waited for, and where to look."""


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """A finished run. `job_states` and `job_seconds` are by step, gate and merge, if it ran; what ran in the
    run that this one resumes is not told.

    The reports are the run's own JSON documents, None where the step left none.
    """

    run_id: str
    properties: Mapping[str, str]
    job_states: Mapping[str, str]
    job_seconds: Mapping[str, float]
    crawler_state: str | None
    gate: Mapping[str, Any] | None
    merge: Mapping[str, Any] | None


def run_ids(machine: Machine, workflow: str) -> set[str]:
    answer = machine.client("glue").get_workflow_runs(Name=workflow)
    return {run["WorkflowRunId"] for run in answer["Runs"]}


def await_run(
    machine: Machine,
    workflow: str,
    known: set[str],
    docs_bucket: str,
    on_change: Callable[[str], None] = lambda _: None,
    timeout_seconds: float = 120,
) -> WorkflowRun:
    """Wait for a run that is not among `known` to end. Raises RunNotSeen when none does in time."""
    glue = machine.client("glue")
    deadline = time.monotonic() + timeout_seconds
    last_told = ""
    while time.monotonic() < deadline:
        for run in glue.get_workflow_runs(Name=workflow, IncludeGraph=True)["Runs"]:
            if run["WorkflowRunId"] in known:
                continue
            if run["Status"] != "RUNNING":
                return _finished(machine, workflow, run, docs_bucket)
            if (told := _now_running(run)) != last_told:
                on_change(told)
                last_told = told
        time.sleep(_POLL_SECONDS)
    raise RunNotSeen(
        f"No new run of workflow {workflow} ended within {timeout_seconds:.0f} s. "
        f"The logs of jobs and Lambdas are in {machine.state_dir / 'logs'}."
    )


def _finished(machine: Machine, workflow: str, run: Mapping[str, Any], docs_bucket: str) -> WorkflowRun:
    run_id = run["WorkflowRunId"]
    properties = _properties(machine, workflow, run)
    dataset = properties["dataset"]
    states, seconds, crawler = {}, {}, None
    for node in run["Graph"]["Nodes"]:
        for job_run in node.get("JobDetails", {}).get("JobRuns", []):
            if job_run["StartedOn"] < run["StartedOn"]:
                continue  # of the run that this one resumes
            step = job_run["JobName"].rpartition("-")[2]
            states[step] = job_run["JobRunState"]
            seconds[step] = (job_run["CompletedOn"] - job_run["StartedOn"]).total_seconds()
        for crawl in node.get("CrawlerDetails", {}).get("Crawls", []):
            crawler = crawl["State"]
    return WorkflowRun(
        run_id=run_id,
        properties=properties,
        job_states=states,
        job_seconds=seconds,
        crawler_state=crawler,
        gate=_report(machine, docs_bucket, gate_report_key(dataset, run_id)),
        merge=_report(machine, docs_bucket, merge_report_key(dataset, run_id)),
    )


def _properties(machine: Machine, workflow: str, run: Mapping[str, Any]) -> Mapping[str, str]:
    """What the run was started with, or the one that it resumes."""
    while not run["WorkflowRunProperties"] and "PreviousRunId" in run:
        glue = machine.client("glue")
        run = glue.get_workflow_run(Name=workflow, RunId=run["PreviousRunId"])["Run"]
    return run["WorkflowRunProperties"]


def _now_running(run: Mapping[str, Any]) -> str:
    for node in run.get("Graph", {}).get("Nodes", []):
        if any(r["JobRunState"] == "RUNNING" for r in node.get("JobDetails", {}).get("JobRuns", [])):
            return f"{node['Name'].rpartition('-')[2]} job is running"
        if any(c["State"] == "RUNNING" for c in node.get("CrawlerDetails", {}).get("Crawls", [])):
            return "crawler is running"
    return "workflow is running"


def _report(machine: Machine, docs_bucket: str, key: str) -> Mapping[str, Any] | None:
    s3 = machine.client("s3")
    try:
        return json.loads(s3.get_object(Bucket=docs_bucket, Key=key)["Body"].read())
    except s3.exceptions.NoSuchKey:
        return None
