"""Bring landed files of past dates into the table, overwriting nothing: `make backfill`."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from etl.aws.attended_runs import AttendedRuns
from etl.aws.object_store import list_versions
from etl.batch import Batch, MergeMode, is_raw_key, raw_folder
from etl.errors import ArgumentsInvalid
from etl.operations.attended import AttendedRun, State
from etl.operations.backfill import Day, choose_dates, order_files, run_days
from etl.run_files import page_key
from scripts.deployed import choose_dataset, errors_in_a_line, poll_seconds, reach
from scripts.offline_machine import STATE_DIR
from scripts.terminal import open_console, plain_table
from scripts.terraform import Environment

MARKS = {
    State.RUNNING: "[bold]…[/]",
    State.DONE: "[bold green]●[/]",
    State.REJECTED: "[bold red]✗[/]",
    State.FAILED: "[bold red]✗[/]",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, checked as far as it can be without AWS."""

    env: Environment
    dates: Sequence[date]
    is_single: bool
    is_again: bool
    concurrency: int


def main(
    on: Annotated[str | None, typer.Option("--date", help="One date, YYYY-MM-DD.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="The first date of a range.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last date of a range.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Of which dataset; if there are several.")] = None,
    env: Annotated[Environment, typer.Option(help="In which environment.")] = Environment.LOCAL,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be done; write nothing.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Also what a backfill has done before.")] = False,
    concurrency: Annotated[int, typer.Option(min=1, help="Dates at a time; see docs/operations.md.")] = 1,
    state_dir: Annotated[Path, typer.Option(help="Where the offline machine keeps its files.")] = STATE_DIR,
) -> None:
    """Run each date's files through gate and merge: rows that are missing are inserted, all others stay."""
    console = open_console()
    with errors_in_a_line(console):
        dates = choose_dates(on, first, last, datetime.now(UTC).date())
        asked = Asked(env, dates, bool(on), force, concurrency)
        outputs = reach(env, "workflows", state_dir)
        chosen = choose_dataset(dataset, outputs)
        days = _find_days(asked, chosen, outputs, console)
        if dry_run:
            from scripts.backfill_preview import preview_days  # it loads Great Expectations

            is_good = preview_days(days, chosen, outputs, console)
        else:
            is_good = _backfill(asked, days, chosen, outputs, console)
    raise typer.Exit(0 if is_good else 1)


def find_batches(dataset: str, raw_bucket: str, day: date) -> list[Batch]:
    """The newest version of each file of the date, the last landed first."""
    versions = list_versions(raw_bucket, raw_folder(dataset, day))
    return order_files([Batch(dataset, day, raw_bucket, **v) for v in versions if is_raw_key(v["key"])])


def _find_days(asked: Asked, dataset: str, outputs: Mapping[str, Any], console: Console) -> list[Day]:
    """Raises ArgumentsInvalid when there is no file at all."""
    raw_bucket = outputs["buckets"]["raw"]
    with console.status(f"Looking for files of {len(asked.dates)} dates"):
        days = [
            Day(day, find_batches(dataset, raw_bucket, day), is_again=asked.is_again) for day in asked.dates
        ]
    if not any(day.batches for day in days):
        where = f"s3://{raw_bucket}/{raw_folder(dataset, asked.dates[0])}"
        told = f"no file in {where}" if asked.is_single else f"no file of {dataset} for any of these dates"
        raise ArgumentsInvalid(told)
    for day in days:
        if not day.batches:
            console.print(f"[dim]○ {day.date} no file[/]")
    return days


def _backfill(
    asked: Asked, days: Sequence[Day], dataset: str, outputs: Mapping[str, Any], console: Console
) -> bool:
    docs = outputs["buckets"]["docs"]
    runs = AttendedRuns(dataset, outputs["workflows"][dataset], docs, "backfill", MergeMode.INSERT_ONLY)
    with_files = [day for day in days if day.batches]
    for day in with_files:
        day.known = runs.known(day.batches[0].batch_id)
        if not day.left:
            told = ", ".join(run.run_id for run in day.runs)
            console.print(f"[dim]○ {day.date} done before ({told}); FORCE=1 does it again[/]")
    todo = [day for day in with_files if day.left]
    try:
        _follow(todo, runs, _most(asked, runs, console), asked.env, console)
    except KeyboardInterrupt:
        console.print(
            "Not waiting any longer. Runs that were started go on by themselves; the same command goes on "
            "from here: it waits for those and does the rest."
        )
        raise typer.Exit(130) from None
    if todo:
        console.print(_summary(todo))
    _tell_bad(todo, docs, console)
    return all(day.is_good for day in todo)


def _most(asked: Asked, runs: AttendedRuns, console: Console) -> int:
    """As many as were asked for, but for one that is left to files that land meanwhile."""
    allowed = max(runs.most - 1, 1)
    if asked.concurrency > allowed:
        console.print(f"The workflow takes {runs.most} runs at once, so {allowed} dates go at a time.")
    return min(asked.concurrency, allowed)


def _follow(days: Sequence[Day], runs: AttendedRuns, most: int, env: Environment, console: Console) -> None:
    columns = (TextColumn("Backfill"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=sum(len(day.left) for day in days))
        for day, run in run_days(days, runs, most, lambda: time.sleep(poll_seconds(env))):
            progress.console.print(f"{MARKS[run.state]} {day.date} {escape(_describe(run))}", soft_wrap=True)
            if run.state is not State.RUNNING:
                progress.advance(task)


def _describe(run: AttendedRun) -> str:
    if run.state is State.RUNNING:
        return f"{run.run_id} is running"
    if run.state is State.DONE:
        return (
            f"{run.inserted} inserted, {run.already_there} already there, {run.conflicts} conflicts, "
            f"{run.quarantined} quarantined"
        )
    return f"{run.state}: {run.why}"


def _summary(days: Sequence[Day]) -> Table:
    table = plain_table()
    table.add_column("date")
    table.add_column("file version")
    for name in ("read", "inserted", "there", "conflicts", "quarantined"):
        table.add_column(name, justify="right")
    table.add_column("result")
    table.add_column("run")
    table.add_column("seconds", justify="right")
    for day in days:
        for run in day.runs:
            counts = (run.rows_read, run.inserted, run.already_there, run.conflicts, run.quarantined)
            table.add_row(
                str(day.date),
                run.object_version[:8],
                *map(str, counts),
                f"{MARKS[run.state]} {run.state}",
                f"{run.run_id[:15]}…",
                f"{run.seconds:.0f}",
            )
    return table


def _tell_bad(days: Sequence[Day], docs_bucket: str, console: Console) -> None:
    bad = [(day, run) for day in days for run in day.runs if run.state in (State.REJECTED, State.FAILED)]
    for day, run in bad:
        console.print(f"[bold red]✗[/] {day.date} {run.state}: {escape(run.why or '')}", soft_wrap=True)
        if run.docs_key:
            page = f"s3://{docs_bucket}/{page_key(run.docs_key)}"
            console.print(f"  Data Docs: {page} (`make docs` shows them)", soft_wrap=True)
    if any(run.state is State.FAILED for _, run in bad):
        console.print("A job that failed is tried again by itself; the same command tells what came of it.")
    if any(run.conflicts for day in days for run in day.runs):
        console.print(
            "Conflicts are rows that differ from the table's row of their key, which was left as it is: "
            "docs/merge.md tells how to see them."
        )


if __name__ == "__main__":
    typer.run(main)
