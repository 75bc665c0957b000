"""How a stack does, in one look: `make status`, `make status ENV=prod`, `make status JSON=1`."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import ClientError
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from etl.operations.records import RunRecord, RunState, from_timestamp
from scripts.deployed import errors_in_a_line, reach
from scripts.offline_machine import STATE_DIR, MachineUnavailable
from scripts.status_report import AvailabilityNow, DatasetStatus, FreshnessNow, Status, read_status
from scripts.terminal import open_console, plain_table
from scripts.terraform import Environment

_COLOURS = {
    RunState.STARTED: "cyan",
    RunState.GATED: "cyan",
    RunState.PUBLISHED: "green",
    RunState.REJECTED: "red",
    RunState.FAILED: "red",
}
_GOOD, _BAD = "[bold green]●[/]", "[bold red]●[/]"


def main(
    env: Annotated[Environment, typer.Option(help="Of which environment.")] = Environment.LOCAL,
    as_json: Annotated[
        bool, typer.Option("--json", help="For scripts; docs/status.md has the keys.")
    ] = False,
    runs: Annotated[int, typer.Option(min=1, max=100, help="How many runs of each dataset.")] = 5,
    state_dir: Annotated[Path, typer.Option(help="Where the offline machine keeps its files.")] = STATE_DIR,
) -> None:
    """Tell per dataset how fresh it is, what its last runs did, and what waits for somebody.

    Ends with 0 if all is as promised, 1 if something is not, and 2 if that cannot be told.
    """
    with errors_in_a_line(Console(stderr=True, highlight=False)):
        outputs = reach(env, "service_levels", state_dir)
        try:
            status = read_status(env, outputs, runs, datetime.now(UTC))
        except ClientError as error:  # 1 would say that something is not as promised
            code, operation = error.response["Error"]["Code"], error.operation_name
            raise MachineUnavailable(f"AWS refused {operation}: {code}.") from error
    if as_json:
        print(json.dumps(asdict(status), indent=2))
    else:
        open_console(150).print(_page(status))
    raise typer.Exit(0 if status.is_as_promised else 1)


def _page(status: Status) -> RenderableType:
    at = datetime.fromisoformat(status.at)
    verdict = f"{_GOOD} all as promised" if status.is_as_promised else f"{_BAD} [bold]not all as promised[/]"
    parts: list[RenderableType] = [f"{verdict}  [dim]{status.environment}, {at:%Y-%m-%d %H:%M} UTC[/]"]
    for dataset, found in status.datasets.items():
        parts += ["", f"{_BAD if found.problems else _GOOD} [bold]{dataset}[/]"]
        parts += [Padding(part, (0, 0, 0, 2)) for part in _dataset(found, at)]
    if status.alarms:
        parts += ["", f"{_BAD} [bold]alarms of no dataset[/]  " + ", ".join(map(escape, status.alarms))]
    return Group(*parts)


def _dataset(found: DatasetStatus, at: datetime) -> Iterator[RenderableType]:
    for problem in found.problems:
        yield f"[red]! {escape(problem)}[/]"
    facts = Table.grid(padding=(0, 2))
    facts.add_row("[dim]freshness[/]", _freshness(found.freshness, at))
    facts.add_row("[dim]last 30 days[/]", _availability(found.availability))
    rows = "not yours to read" if found.quarantined_rows is None else f"{found.quarantined_rows:,} rows"
    facts.add_row("[dim]quarantine[/]", rows)
    yield facts
    for one in found.interventions:
        yield f"[red]waits for a person[/] since {one.opened_at[:16]} UTC: {one.step} of {one.batch_date}"
        yield Padding(f"{escape(one.error)}\n[bold]{escape(one.resume_command)}[/]", (0, 0, 0, 2))
    yield _runs(found.runs) if found.runs else "[dim]no runs yet[/]"


def _freshness(found: FreshnessNow, at: datetime) -> str:
    colour = "green" if found.is_fresh else "red"
    said = f"[{colour}]{'fresh' if found.is_fresh else f'not fresh: {found.cause}'}[/]"
    of = f"{_hours(found.hours)} of {found.promised_hours:g} h"
    if found.published_at is None:
        return f"{said}, {of} for the first batch"
    when = _when(from_timestamp(found.published_at), at)
    return f"{said}, {of} since the batch of {found.newest_batch_date} was published, {when}"


def _availability(found: AvailabilityNow | None) -> str:
    if found is None:
        return "[dim]no probe has looked yet[/]"
    left, budget = found.budget_left_percent, f"the error budget of {found.budget_minutes:.0f} min"
    if left < 0:
        spent = f"[red]{budget} overspent by {found.spent_minutes - found.budget_minutes:.0f} min[/]"
    else:
        spent = f"[{'green' if left > 50 else 'yellow'}]{left:.0f} % of {budget} left[/]"
    return (
        f"{found.percent:.3f} % fresh ({found.target_percent:g} % promised), {spent}, "
        f"burn rate {found.burn_rate:g} in the last hour"
    )


def _runs(runs: Sequence[RunRecord]) -> Table:
    shown = plain_table()
    for name in ("batch", "state", "verdict"):
        shown.add_column(name, no_wrap=True)
    for name in ("read", "inserted", "updated", "set aside", "conflicts", "gate", "merge", "tries"):
        shown.add_column(name, justify="right", no_wrap=True)
    for name in ("by", "last step, UTC"):
        shown.add_column(name, no_wrap=True)
    for run in runs:
        aside = None if run.rows_read is None else (run.rows_quarantined or 0) + (run.rows_unparsable or 0)
        counts = (run.rows_read, run.rows_inserted, run.rows_updated, aside, run.conflicts)
        seconds = (run.gate_seconds, run.merge_seconds)
        last = run.published_at or run.failed_at or run.gated_at or run.landed_at
        shown.add_row(
            run.batch_date,
            f"[{_COLOURS[run.state]}]{run.state}[/]",
            (run.verdict or "").replace("_", " "),
            *("" if count is None else f"{count:,}" for count in counts),
            *("" if took is None else f"{took:.1f} s" for took in seconds),
            str(run.attempts),
            run.trigger,
            last[5:16],
        )
    return shown


def _hours(hours: float) -> str:
    return f"{hours:.1f}" if hours < 100 else f"{hours:.0f}"


def _when(moment: datetime, at: datetime) -> str:
    return f"{moment:%H:%M} UTC" if at - moment < timedelta(hours=18) else f"{moment:%Y-%m-%d %H:%M} UTC"


if __name__ == "__main__":
    typer.run(main)
