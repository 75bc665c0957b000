"""What the demo shows: a live view on a terminal, plain lines in a log."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from scripts.runs import COUNTS, WorkflowRun
from scripts.terminal import plain_table

_LOG_EVERY_SECONDS = 10.0


class Update(Protocol):
    def __call__(self, status: str) -> None: ...


@dataclass(slots=True)
class View:
    """Prints as the demo goes, and remembers the time of each step and every check that did not hold."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)
    failed_checks: list[str] = field(default_factory=list)
    checks: int = 0

    @contextmanager
    def step(self, title: str) -> Iterator[Update]:
        """A step with a time; the function it yields tells how far it is."""
        started = time.monotonic()
        shown = escape(title)
        if self.console.is_terminal:
            with self.console.status(shown) as status:
                yield lambda text: status.update(f"{shown}: {escape(text)}")
        else:
            self.console.print(f"[bold]…[/] {shown}")
            yield _Occasionally(self.console)
        self.seconds[title] = time.monotonic() - started
        self.console.print(f"[bold green]●[/] [bold]{shown}[/] [dim]{self.seconds[title]:.1f} s[/]")

    def check(self, statement: str, holds: bool) -> None:
        """Say whether something is as it should be; one that is not makes the demo fail in the end."""
        self.checks += 1
        if holds:
            self.console.print(f"    [green]✓[/] {escape(statement)}")
        else:
            self.failed_checks.append(statement)
            self.console.print(f"    [bold red]✗ {escape(statement)}[/]")

    def say(self, text: str) -> None:
        self.console.print(f"    {escape(text)}", highlight=False)

    def quote(self, text: str) -> None:
        for line in text.rstrip().splitlines():
            self.console.print(f"    [cyan]│[/] {escape(line)}", highlight=False)

    def rows(self, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
        table = plain_table()
        for name in columns:
            table.add_column(name)
        for row in rows:
            table.add_row(*(escape(cell or "") for cell in row))
        self.console.print(_indented(table))

    def runs(self, runs: Mapping[str, WorkflowRun]) -> None:
        """A column for each run: the verdict, where its rows ended, the snapshot and the time of its jobs."""
        table = plain_table()
        table.add_column("run")
        for title in runs:
            table.add_column(title, justify="right")
        told = [_facts(run) for run in runs.values()]
        for name in told[0]:
            table.add_row(name, *(facts[name] for facts in told))
        self.console.print(table)

    def times(self, more: Mapping[str, float]) -> None:
        table = plain_table()
        table.add_column("time of each stage")
        table.add_column("seconds", justify="right")
        for title, seconds in (self.seconds | more).items():
            table.add_row(title, f"{seconds:.1f}")
        self.console.print(table)


def _facts(run: WorkflowRun) -> dict[str, str]:
    counts = run.merge["counts"] if run.merge else {"read": run.gate["rows_read"]} if run.gate else {}
    return {
        "verdict": run.gate["verdict"].replace("_", " ") if run.gate else "none",
        **{f"rows {name}": str(counts.get(name, "")) for name in COUNTS},
        "snapshot": f"…{run.merge['snapshot_id'][-8:]}" if run.merge else "untouched",
        **{f"{step} job, seconds": _seconds(run, step) for step in ("gate", "merge")},
    }


def _seconds(run: WorkflowRun, step: str) -> str:
    return f"{run.job_seconds[step]:.1f}" if step in run.job_seconds else ""


def _indented(table: Table) -> Table:
    outer = Table.grid(padding=(0, 0, 0, 4))
    outer.add_row(table)
    return outer


class _Occasionally:
    """Prints a status at most every few seconds, so that a log stays readable."""

    def __init__(self, console: Console):
        self._console = console
        self._told_at = time.monotonic()

    def __call__(self, status: str) -> None:
        if time.monotonic() - self._told_at >= _LOG_EVERY_SECONDS:
            self._told_at = time.monotonic()
            self._console.print(f"    {escape(status)}", highlight=False)
