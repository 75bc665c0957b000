"""Runs over time as series, each with the band of what is usual.

The usual number of rows is what the gate compares with (etl.steps.history.usual_figures, with the band of the
contract). For what the gate compares with nothing, usual is the median of the same number of earlier batches,
give or take three of their robust standard deviations (1.4826 times the median absolute deviation, which one
odd batch does not move), and at least the leeway of the series: values that never vary have no deviation.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from etl.contract import Contract
from etl.operations.availability import SLOT, SLOTS_A_DAY, UNKNOWN, Days, number_in_day
from etl.operations.freshness import LETTERS
from etl.operations.records import RunRecord, RunState, from_timestamp
from etl.steps.history import ROWS_MAX, ROWS_MIN, AcceptedBatch, usual_figures

_ACCEPTED = {RunState.GATED, RunState.PUBLISHED}
_DEVIATIONS, _TO_STANDARD = 3, 1.4826
_DEFAULT_BATCHES, _LEAST_KNOWN = 14, 5
NO_PROBE = "no probe"
_CAUSES = {letter: str(cause) for cause, letter in LETTERS.items() if cause} | {UNKNOWN: NO_PROBE}


@dataclass(frozen=True, slots=True)
class Point:
    """One batch date's value, and between what it usually is; None where too little is known."""

    day: date
    value: float
    low: float | None = None
    high: float | None = None

    @property
    def is_unusual(self) -> bool:
        return self.low is not None and self.high is not None and not self.low <= self.value <= self.high


def as_figure(value: float) -> str:
    """As many digits as somebody reads."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class Series:
    title: str
    unit: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A run that let nothing pass."""

    day: date
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class DatasetHistory:
    """`not_fresh` has, for each day that was probed, the hours by cause."""

    dataset: str
    first: date
    last: date
    series: Sequence[Series]
    refusals: Sequence[Refusal]
    not_fresh: Mapping[date, Mapping[str, float]]

    @property
    def fresh_summary(self) -> str:
        if not self.not_fresh:
            return "no probe has looked yet"
        hours = sum(sum(by_cause.values()) for by_cause in self.not_fresh.values())
        return f"{hours:.1f} h in {len(self.not_fresh)} days"


def history_of(
    contract: Contract,
    runs: Iterable[RunRecord],
    days: Days,
    watched_since: str | None,
    first: date,
    last: date,
    slots_so_far: int,
) -> DatasetHistory:
    """Of the dates from `first` to `last`; earlier runs only say what was usual then.

    `slots_so_far` is how many of the last day's slots have been.
    """
    runs = sorted(runs, key=lambda run: (run.batch_date, run.landed_at))
    accepted = {run.batch_date: run for run in runs if run.state in _ACCEPTED}  # of a date, the last to land
    of_days = list(accepted.values())
    shown = (
        Series("Rows", "rows", _rows(of_days, contract)),
        Series("Set aside", "% of rows", _usual(of_days, _percent_aside, contract, lambda _: 0.5)),
        Series("Gate", "s", _usual(of_days, _gate_seconds, contract, lambda usual: max(1.0, usual / 2))),
        Series("From landing to the table", "min", _usual(of_days, _minutes, contract, lambda usual: 5.0)),
    )
    return DatasetHistory(
        dataset=contract.dataset,
        first=first,
        last=last,
        series=[
            Series(one.title, one.unit, [p for p in one.points if first <= p.day <= last]) for one in shown
        ],
        refusals=[
            Refusal(date.fromisoformat(run.batch_date), run.state, run.error or run.reason or "")
            for run in runs
            if run.state not in {*_ACCEPTED, RunState.STARTED} and str(first) <= run.batch_date <= str(last)
        ],
        not_fresh=dict(_not_fresh(days, watched_since, first, last, slots_so_far)),
    )


def _rows(runs: Sequence[RunRecord], contract: Contract) -> list[Point]:
    known = [
        AcceptedBatch(
            batch_id=run.batch_id,
            batch_date=date.fromisoformat(run.batch_date),
            landed_at=from_timestamp(run.landed_at),
            rows=(run.rows_read or 0) - (run.rows_unparsable or 0),
            null_counts={},
        )
        for run in runs
    ]
    usual = ((one, usual_figures(known, contract, one.batch_date)) for one in known)
    return [
        Point(one.batch_date, one.rows, figures.get(ROWS_MIN), figures.get(ROWS_MAX))
        for one, figures in usual
    ]


def _usual(
    runs: Sequence[RunRecord],
    measure: Callable[[RunRecord], float | None],
    contract: Contract,
    leeway: Callable[[float], float],
) -> list[Point]:
    window = contract.history.batches if contract.history else _DEFAULT_BATCHES
    points: list[Point] = []
    for run in runs:
        if (value := measure(run)) is not None:
            before = [point.value for point in points[-window:]]
            points.append(Point(date.fromisoformat(run.batch_date), value, *usual_band(before, leeway)))
    return points


def usual_band(
    before: Sequence[float], leeway: Callable[[float], float]
) -> tuple[float, float] | tuple[None, None]:
    """Lowest and highest value that is usual after these; None for too few. No value is below 0."""
    if len(before) < _LEAST_KNOWN:
        return None, None
    middle = median(before)
    spread = _DEVIATIONS * _TO_STANDARD * median(abs(value - middle) for value in before)
    half = max(spread, leeway(middle))
    return max(0.0, middle - half), middle + half


def _percent_aside(run: RunRecord) -> float | None:
    aside = (run.rows_quarantined or 0) + (run.rows_unparsable or 0)
    return 100 * aside / run.rows_read if run.rows_read else None


def _gate_seconds(run: RunRecord) -> float | None:
    return run.gate_seconds


def _minutes(run: RunRecord) -> float | None:
    """Of a backfill the file may have landed long ago, which says nothing about the run."""
    if run.published_at is None or run.trigger == "backfill":
        return None
    return (from_timestamp(run.published_at) - from_timestamp(run.landed_at)) / timedelta(minutes=1)


def _not_fresh(
    days: Days, watched_since: str | None, first: date, last: date, slots_so_far: int
) -> Iterator[tuple[date, dict[str, float]]]:
    if watched_since is None:
        return
    since = from_timestamp(watched_since)
    hours_a_slot = SLOT / timedelta(hours=1)
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if day < since.date():
            continue
        begin = number_in_day(since) if day == since.date() else 0
        end = slots_so_far if day == last else SLOTS_A_DAY
        letters = days.get(str(day), "").ljust(end, UNKNOWN)[begin:end]
        yield (
            day,
            {
                cause: letters.count(letter) * hours_a_slot
                for letter, cause in _CAUSES.items()
                if letter in letters
            },
        )
