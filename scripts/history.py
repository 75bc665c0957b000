"""Runs over time, against what is usual: `make history`, `make history DATASET=employee DAYS=90 ENV=prod`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from etl.aws.freshness import read_days, read_latest
from etl.aws.operations import read_runs_since
from etl.contract import load_contract
from etl.operations.availability import number_in_day
from scripts.deployed import choose_dataset, errors_in_a_line, reach
from scripts.history_figures import DatasetHistory, Series, as_figure, history_of
from scripts.history_page import render_history
from scripts.offline_machine import STATE_DIR
from scripts.package import CHECKOUT, EXPECTATIONS
from scripts.terminal import open_console, plain_table
from scripts.terraform import Environment

_SPARKS = "▁▂▃▄▅▆▇█"
_MOST_SPARKS = 60  # of more, the newest
_BEFORE = timedelta(days=45)  # from which what was usual on the first day is known


def main(
    env: Annotated[Environment, typer.Option(help="Of which environment.")] = Environment.LOCAL,
    dataset: Annotated[str | None, typer.Option(help="Of which dataset; else of all.")] = None,
    days: Annotated[int, typer.Option(min=2, max=400, help="How many batch dates, up to today.")] = 30,
    into: Annotated[Path | None, typer.Option(help="The page; else build/history-ENV.html.")] = None,
    state_dir: Annotated[Path, typer.Option(help="Where the offline machine keeps its files.")] = STATE_DIR,
) -> None:
    """Show rows, quarantine, durations and freshness over time, and which of them were unusual.

    What is usual is told by the contract in this checkout.
    """
    console = open_console()
    with errors_in_a_line(Console(stderr=True, highlight=False)):
        outputs = reach(env, "service_levels", state_dir)
        names = [choose_dataset(dataset, outputs)] if dataset else sorted(outputs["workflows"])
        at = datetime.now(UTC)
        with console.status("Reading the records of runs"):
            histories = [_read(name, outputs["buckets"]["docs"], days, at) for name in names]
    page = into or CHECKOUT / "build" / f"history-{env}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(render_history(histories, env, at), "utf-8")
    for history in histories:
        _show(history, console)
    console.print(f"The charts: {page.resolve().as_uri()}", soft_wrap=True)


def _read(dataset: str, docs_bucket: str, days: int, at: datetime) -> DatasetHistory:
    last, name = at.date(), f"{dataset}/contract.yaml"
    first = last - timedelta(days=days - 1)
    every_day = (first + timedelta(days=number) for number in range(days))
    latest = read_latest(docs_bucket, dataset)
    return history_of(
        contract=load_contract((EXPECTATIONS / name).read_text("utf-8"), name, dataset),
        runs=read_runs_since(docs_bucket, dataset, first - _BEFORE),
        days=read_days(docs_bucket, dataset, sorted({f"{day:%Y-%m}" for day in every_day})),
        watched_since=latest.watched_since,
        first=first,
        last=last,
        slots_so_far=number_in_day(at),
    )


def _show(history: DatasetHistory, console: Console) -> None:
    span = f"{history.first} to {history.last}"
    console.print(f"\n[bold]{history.dataset}[/]  [dim]{span}; from its lowest to its highest value[/]")
    shown = plain_table()
    for column in ("", "over time"):
        shown.add_column(column)
    for column in ("last", "usual", "unusual"):
        shown.add_column(column, justify="right")
    for series in history.series:
        shown.add_row(f"{series.title}, {series.unit}", *_cells(series))
    console.print(shown)
    console.print(f"Not fresh: {history.fresh_summary}{_causes(history.not_fresh)}")
    for refusal in history.refusals:
        console.print(f"[red]✕[/] {refusal.day} {refusal.state}: {escape(refusal.why)}", soft_wrap=True)


def _cells(series: Series) -> tuple[str, ...]:
    points = series.points
    if not points:
        return ("[dim]no batch yet[/]", "", "", "")
    low, high = min(p.value for p in points), max(p.value for p in points)
    height = len(_SPARKS) - 1
    line = ""
    for point in points[-_MOST_SPARKS:]:
        spark = _SPARKS[round((point.value - low) / (high - low) * height) if high > low else 0]
        line += f"[red]{spark}[/]" if point.is_unusual else f"[blue]{spark}[/]"
    last, unusual = points[-1], sum(point.is_unusual for point in points)
    known = last.low is not None and last.high is not None
    usual = f"{as_figure(last.low)} to {as_figure(last.high)}" if known else "[dim]too few yet[/]"
    return line, as_figure(last.value), usual, f"[red]{unusual}[/]" if unusual else "none"


def _causes(not_fresh: Mapping[Any, Mapping[str, float]]) -> str:
    hours: dict[str, float] = {}
    for by_cause in not_fresh.values():
        for cause, some in by_cause.items():
            hours[cause] = hours.get(cause, 0) + some
    told: Sequence[str] = [f"{cause} {some:.1f} h" for cause, some in sorted(hours.items())]
    return f" ({', '.join(told)})" if told else ""


if __name__ == "__main__":
    typer.run(main)
