"""Submit quarantined rows again: `make replay QUARANTINE=<batch>`."""

import re
import time
from collections.abc import Mapping
from datetime import date
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from etl.aws.attended_runs import AttendedRuns
from etl.aws.object_store import find_json, list_all_versions
from etl.batch import Batch, MergeMode, is_raw_key, raw_folder
from etl.errors import ArgumentsInvalid
from etl.operations.attended import AttendedRun, State
from etl.operations.backfill import Day, run_days
from etl.run_files import batch_key, gate_report_key, merge_report_key, page_key
from scripts.deployed import poll_seconds
from scripts.terraform import Environment

_BATCH_ID = re.compile(r"(?P<dataset>[a-z][a-z0-9_]*)-(?P<day>\d{4}-\d{2}-\d{2})-[0-9a-f]{16}")


def replay_quarantine(batch_id: str, outputs: Mapping[str, Any], env: Environment, console: Console) -> int:
    """Judge the batch anew, merge what passes now, and return the exit code.

    Rows leave the quarantine once they are merged. Raises ArgumentsInvalid.
    """
    dataset, day = parse_batch_id(batch_id)
    if dataset not in outputs["workflows"]:
        raise ArgumentsInvalid(f"there is no dataset {dataset}, which the batch is named by")
    batch = _find(batch_id, dataset, day, outputs["buckets"]["raw"])
    docs = outputs["buckets"]["docs"]
    _check_quarantined(batch, docs)
    run = _replay(batch, outputs["workflows"][dataset], docs, env, console)
    _tell(run, docs, console)
    return 0 if run.state is State.DONE else 1


def parse_batch_id(batch_id: str) -> tuple[str, date]:
    """Raises ArgumentsInvalid."""
    match = _BATCH_ID.fullmatch(batch_id)
    try:
        if match:
            return match["dataset"], date.fromisoformat(match["day"])
    except ValueError:
        pass
    raise ArgumentsInvalid(f"{batch_id} is no batch id; make quarantine lists them")


def _find(batch_id: str, dataset: str, day: date, raw_bucket: str) -> Batch:
    """The very version that landed, also if another has replaced it. Raises ArgumentsInvalid."""
    versions = list_all_versions(raw_bucket, raw_folder(dataset, day))
    batches = (Batch(dataset, day, raw_bucket, **v) for v in versions if is_raw_key(v["key"]))
    for batch in batches:
        if batch.batch_id == batch_id:
            return batch
    raise ArgumentsInvalid(f"the file of {batch_id} is not in the raw zone (any more)")


def _check_quarantined(batch: Batch, docs_bucket: str) -> None:
    """Raises ArgumentsInvalid when the batch has no rows in quarantine, as far as its last run tells."""
    note = find_json(docs_bucket, batch_key(batch.dataset, batch.batch_id))
    if note is None:
        raise ArgumentsInvalid(f"no gate has judged {batch.batch_id} yet")
    gate = find_json(docs_bucket, gate_report_key(batch.dataset, note["run_id"])) or {}
    if gate.get("verdict") == "rejected":
        raise ArgumentsInvalid(
            f"{batch.batch_id} was rejected whole, so its rows are in its file and not in quarantine; land a "
            f"corrected file, or once the suite is mended: make replay RUN={note['run_id']}"
        )
    merge = find_json(docs_bucket, merge_report_key(batch.dataset, note["run_id"]))
    if merge and gate and not gate["rows_quarantined"] + gate["rows_unparsable"]:
        raise ArgumentsInvalid(f"{batch.batch_id} has no rows in quarantine")


def _replay(batch: Batch, workflow: str, docs_bucket: str, env: Environment, console: Console) -> AttendedRun:
    """A batch that came by a backfill is replayed as one: it overwrites nothing."""
    backfills = AttendedRuns(batch.dataset, workflow, docs_bucket, "backfill", MergeMode.INSERT_ONLY)
    backfilled = backfills.known(batch.batch_id).get(batch.batch_id)
    mode = MergeMode.INSERT_ONLY if backfilled and backfilled.took_batch else MergeMode.UPSERT
    runs = AttendedRuns(batch.dataset, workflow, docs_bucket, "replay", mode)
    known = runs.known(batch.batch_id)
    is_under_way = batch.batch_id in known and known[batch.batch_id].state is State.RUNNING
    day = Day(batch.batch_date, [batch], known, is_again=not is_under_way)
    try:
        with console.status(f"Replaying {batch.batch_id}") as status:
            for _, run in run_days([day], runs, 1, lambda: time.sleep(poll_seconds(env))):
                status.update(f"{run.run_id} is running")
    except KeyboardInterrupt:
        console.print("Not waiting any longer; the run goes on. The same command waits for it again.")
        raise typer.Exit(130) from None
    return day.known[batch.batch_id]


def _tell(run: AttendedRun, docs_bucket: str, console: Console) -> None:
    if run.state is State.DONE:
        console.print(
            f"[bold green]●[/] {run.released} rows left the quarantine, {run.quarantined} stay. "
            f"Inserted: {run.inserted}, updated: {run.updated}. [dim]{run.run_id}, {run.seconds:.0f} s[/]",
            soft_wrap=True,
        )
        if run.conflicts:
            console.print(
                f"{run.conflicts} rows of the batch differ from the table's row of their key, which is of a "
                "newer batch or from before a backfill and stays (docs/merge.md).",
                soft_wrap=True,
            )
    else:
        told = f"{run.run_id} ended as {run.state}: {run.why}. Nothing left the quarantine."
        console.print(f"[bold red]✗[/] {escape(told)}", soft_wrap=True)
    if run.docs_key and (run.quarantined or run.state is not State.DONE):
        console.print(f"Why: s3://{docs_bucket}/{page_key(run.docs_key)} (`make docs`)", soft_wrap=True)
