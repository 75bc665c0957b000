"""Backfills: which files of which dates are still to be done, and doing them a few dates at a time.

The newest date goes first, and of a date the file that landed last: a backfill overwrites nothing, so of a
key that several files have and the table lacks, the row that comes first stays.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol

from etl.batch import Batch
from etl.errors import ArgumentsInvalid
from etl.operations.attended import AttendedRun, State


class Runs(Protocol):
    """What a backfill asks of AWS."""

    def start(self, batch: Batch) -> AttendedRun | None:
        """None while the workflow takes no further run."""
        ...

    def look_at(self, run: AttendedRun) -> AttendedRun: ...

    def keep(self, run: AttendedRun) -> None:
        """Record what is known of the run, so that who comes next finds it."""
        ...


@dataclass(slots=True)
class Day:
    """A date with the newest version of each of its files, in the order in which they are to be merged.

    `known` is what backfills did with them before or have done since, by batch id.
    """

    date: date
    batches: Sequence[Batch]
    known: dict[str, AttendedRun] = field(default_factory=dict)
    is_again: bool = False

    @property
    def left(self) -> list[Batch]:
        """What is to be done: all that is not done, and everything once more where that was asked for."""
        return [b for b in self.batches if self.is_again or self._state(b) is not State.DONE]

    @property
    def runs(self) -> list[AttendedRun]:
        return [self.known[batch.batch_id] for batch in self.batches if batch.batch_id in self.known]

    @property
    def is_good(self) -> bool:
        return all(self._state(batch) is State.DONE for batch in self.batches)

    def _state(self, batch: Batch) -> State | None:
        run = self.known.get(batch.batch_id)
        return run.state if run else None


def choose_dates(one: str | None, first: str | None, last: str | None, today: date) -> list[date]:
    """The dates meant, newest first. Raises ArgumentsInvalid."""
    if one and (first or last):
        raise ArgumentsInvalid("DATE is one date and FROM … TO … is a range; give the one or the other")
    if not one and not (first and last):
        raise ArgumentsInvalid("say which dates: DATE=2026-11-01, or FROM=2026-11-01 TO=2026-11-07")
    start, end = (_parse(name, text) for name, text in (("FROM", first or one), ("TO", last or one)))
    if start > end:
        raise ArgumentsInvalid(f"FROM={start} lies after TO={end}")
    if end > today:
        raise ArgumentsInvalid(f"{end} lies in the future; today is {today} (UTC)")
    return [end - timedelta(days=number) for number in range((end - start).days + 1)]


def _parse(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentsInvalid(f"{text} is no date of the calendar; write YYYY-MM-DD") from None


def order_files(batches: Sequence[Batch]) -> list[Batch]:
    return sorted(batches, key=lambda batch: (batch.landed_at, batch.batch_id), reverse=True)


def run_days(
    days: Sequence[Day], runs: Runs, most: int, wait: Callable[[], None]
) -> Iterator[tuple[Day, AttendedRun]]:
    """Do what is left of the days, at most this many of them at once; yields each run that began or ended.

    A day's files go one after the other. Where it ends is recorded run by run, so whoever is interrupted can
    begin anew: a run that is under way already is waited for and not started again.
    """
    waiting, active = [day for day in days if day.left], list[_Doing]()
    while waiting or active:
        while waiting and len(active) < most:
            active.append(_Doing(waiting.pop(0)))
        for doing in list(active):
            for run in doing.go_on(runs):
                yield doing.day, run
            if doing.is_over:
                active.remove(doing)
        if active:
            wait()


class _Doing:
    """A day that is being done."""

    def __init__(self, day: Day):
        self.day, self._left = day, day.left
        self._run: AttendedRun | None = None

    @property
    def is_over(self) -> bool:
        return not self._left and self._run is None

    def go_on(self, runs: Runs) -> Iterator[AttendedRun]:
        before = self._run or self._begin(runs)
        if before is None:
            return
        if self._run is None:
            yield before
        now = runs.look_at(before) if before.state is State.RUNNING else before
        self._run = now if now.state is State.RUNNING else None
        if now is not before and self._run is None:
            self._remember(now, runs)
            yield now

    def _begin(self, runs: Runs) -> AttendedRun | None:
        begun = self._found(runs) or runs.start(self._left[0])
        if begun:
            self._left.pop(0)
            self._remember(begun, runs)
        return begun

    def _found(self, runs: Runs) -> AttendedRun | None:
        """An earlier run that is under way, or that its own retries have brought to its end since."""
        known = self.day.known.get(self._left[0].batch_id)
        if self.day.is_again or known is None or known.state is State.REJECTED:
            return None
        now = runs.look_at(known)
        return now if now.state in (State.RUNNING, State.DONE) else None

    def _remember(self, run: AttendedRun, runs: Runs) -> None:
        self.day.known[run.batch_id] = run
        runs.keep(run)
