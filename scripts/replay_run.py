"""Have a failed run done again, from where it failed: `make replay RUN=<run id>`."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape

from etl.aws.object_store import find_json
from etl.aws.workflow import (
    ACTIVE_STATUSES,
    WorkflowRun,
    failed_jobs,
    find_run,
    list_runs,
    read_chain,
    resume_run,
    start_run,
)
from etl.errors import ArgumentsInvalid
from etl.run_files import gate_report_key, merge_report_key, page_key

DONE, FAILED, NOTHING_DONE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Found:
    dataset: str
    workflow: str
    run: WorkflowRun


def replay_run(run_id: str, outputs: Mapping[str, Any], poll_seconds: float, console: Console) -> int:
    """Say what is done, do it, wait for its end, and return the exit code. Raises ArgumentsInvalid."""
    found = _find(run_id, outputs["workflows"])
    if found.run.run_id != run_id:
        _say(console, f"{run_id} was resumed already; the newest run that came of it is {found.run.run_id}.")
    if found.run.status in ACTIVE_STATUSES:
        _say(console, f"{found.run.run_id} is running. Nothing was done.")
        return NOTHING_DONE
    if found.run.status == "COMPLETED" and not (jobs := list(failed_jobs(found.workflow, found.run.run_id))):
        _say(console, f"{found.run.run_id} has published its batch. Nothing was done.")
        return DONE
    resumed = _resume(found, jobs[0][0] if found.run.status == "COMPLETED" else None, console)
    ended = _await_end(found.workflow, resumed, poll_seconds, console)
    return _tell(found, ended, outputs["buckets"]["docs"], console)


def _find(run_id: str, workflows: Mapping[str, str]) -> Found:
    """The run, or the newest of those that resume it."""
    for dataset, workflow in sorted(workflows.items()):
        runs = {run.run_id: run for run in list_runs(workflow)}
        if run_id in runs:
            resumed_by = {run.previous_run_id: run for run in runs.values() if run.previous_run_id}
            run = runs[run_id]
            while run.run_id in resumed_by:
                run = resumed_by[run.run_id]
            return Found(dataset, workflow, run)
    known = ", ".join(sorted(workflows))
    raise ArgumentsInvalid(f"there is no run {run_id} of {known}; Glue remembers runs for 90 days")


def _resume(found: Found, job: str | None, console: Console) -> str:
    if job is None:
        _say(
            console,
            f"{found.run.run_id} is {found.run.status}, which Glue does not resume: its file begins again.",
        )
        return start_run(found.workflow, read_chain(found.workflow, found.run.run_id).properties)
    step = job.rpartition("-")[2]
    _say(console, f"{found.run.run_id} failed in the {step}: it is resumed there.")
    return resume_run(found.workflow, found.run.run_id, job)


def _await_end(workflow: str, run_id: str, poll_seconds: float, console: Console) -> WorkflowRun:
    started = time.monotonic()
    with console.status(f"{run_id} is running") as status:
        while (run := find_run(workflow, run_id)).status in ACTIVE_STATUSES:
            status.update(f"{run_id} is running, {time.monotonic() - started:.0f} s")
            time.sleep(poll_seconds)
    return run


def _tell(found: Found, run: WorkflowRun, docs_bucket: str, console: Console) -> int:
    failed = [job.rpartition("-")[2] for job, _ in failed_jobs(found.workflow, run.run_id)]
    if not failed and run.status == "COMPLETED":
        merge = find_json(docs_bucket, merge_report_key(found.dataset, run.run_id))
        told = f": {_figures(merge['counts'])}" if merge else ""
        console.print(f"[bold green]●[/] {run.run_id} published its batch{told}.", soft_wrap=True)
        return DONE
    gate = find_json(docs_bucket, gate_report_key(found.dataset, run.run_id))
    if gate and gate["verdict"] in {"rejected", "error"}:
        said = f"the gate says {gate['verdict']}: {gate['reason']}"
        where = f"Why: s3://{docs_bucket}/{page_key(gate['docs_key'])} (`make docs`)"
    else:
        said = f"it failed in the {' and the '.join(failed)}" if failed else f"it is {run.status}"
        where = "The alert says why, and what happens next."
    console.print(f"[bold red]✗[/] {run.run_id} did not publish its batch: {escape(said)}.", soft_wrap=True)
    console.print(where, soft_wrap=True)
    return FAILED


def _figures(counts: Mapping[str, int]) -> str:
    return f"{counts['read']} rows read, {counts['inserted']} inserted, {counts['updated']} updated"


def _say(console: Console, text: str) -> None:
    console.print(escape(text), soft_wrap=True)
