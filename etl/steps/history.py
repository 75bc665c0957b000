"""What the batches before this one were like → what this one is usually like, for the suite to compare with.

The reference is the run history, that is the batches which a gate let pass, and not the table: its rows come
from many batches, and it does not know how many rows one of them had.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median
from typing import Annotated, Any

import pydantic

from etl.batch import Batch
from etl.contract import Contract
from etl.custom_properties import HistoryBand
from etl.errors import HistoryInvalid

ROWS_MIN, ROWS_MAX = "usual_rows_min", "usual_rows_max"
_NON_NULL_MIN = "usual_non_null_min_{column}"
_MOST_KEPT = 400  # a year of days and some, so that a backfill finds what was before its dates
# GX takes $PARAMETER for a formula: `pay-grade` would be a difference.
_FIT_FOR_A_PARAMETER = re.compile(r"[A-Za-z0-9_]+")

Count = Annotated[int, pydantic.Field(ge=0)]


@dataclass(frozen=True, slots=True)
class AcceptedBatch:
    """Counts of a batch that a gate let pass.

    `rows` could be read, and were judged; `null_counts` has their nulls for each column of the contract then.
    """

    batch_id: str
    batch_date: date
    landed_at: datetime
    rows: Count
    null_counts: Mapping[str, Count]


_HISTORY = pydantic.TypeAdapter(tuple[AcceptedBatch, ...])


def describe_batch(
    batch: Batch, rows: int, null_counts: Mapping[str, int], declared: Contract
) -> AcceptedBatch:
    """Columns that the contract does not declare are left out: their names come from the file."""
    of_declared = {name: null_counts[name] for name in declared.column_names}
    return AcceptedBatch(batch.batch_id, batch.batch_date, batch.landed_at, rows, of_declared)


def add_to_history(history: Iterable[AcceptedBatch], accepted: AcceptedBatch) -> tuple[AcceptedBatch, ...]:
    """`history` with the batch in it once, oldest batch date first, and no longer than it may be."""
    others = [other for other in history if other.batch_id != accepted.batch_id]
    ordered = sorted([*others, accepted], key=lambda one: (one.batch_date, one.landed_at, one.batch_id))
    return tuple(ordered[-_MOST_KEPT:])


def parse_history(document: Any, uri: str) -> tuple[AcceptedBatch, ...]:
    """`document` is JSON values, or None when there is no history yet. Raises HistoryInvalid."""
    try:
        return _HISTORY.validate_python(() if document is None else document)
    except pydantic.ValidationError as error:
        places = sorted({".".join(map(str, problem["loc"][:2])) for problem in error.errors()})
        raise HistoryInvalid(uri, f"not a history of batches (at {', '.join(places[:5])})") from error


def history_to_json(history: Sequence[AcceptedBatch]) -> Any:
    return _HISTORY.dump_python(tuple(history), mode="json")


def usual_names(contract: Contract) -> frozenset[str]:
    """The suite parameters that usual_figures supplies."""
    return frozenset(usual_figures((), contract, date.min))


def usual_figures(
    history: Iterable[AcceptedBatch], contract: Contract, batch_date: date
) -> dict[str, int | float | None]:
    """Suite parameters for a batch of `batch_date`, from the last batches of earlier dates.

    usual_rows_min and usual_rows_max are numbers of rows; usual_non_null_min_<column> is a share from 0 to 1.
    The reference is the median, which one odd batch does not move; of several batches of one date the last
    landed counts. None, a bound that anything meets, stands where too few batches are known.
    """
    band = contract.history
    if band is None:
        return {}
    known = _last_before(history, batch_date, band.batches)
    names = [name for name in contract.column_names if _FIT_FOR_A_PARAMETER.fullmatch(name)]
    return _usual_rows(known, band) | {
        _NON_NULL_MIN.format(column=name): _usual_non_null_min(known, name, band) for name in names
    }


def _last_before(history: Iterable[AcceptedBatch], day: date, most: int) -> list[AcceptedBatch]:
    by_day: dict[date, AcceptedBatch] = {}
    for one in sorted(history, key=lambda one: (one.batch_date, one.landed_at)):
        if one.batch_date < day:
            by_day[one.batch_date] = one
    return list(by_day.values())[-most:]


def _usual_rows(known: Sequence[AcceptedBatch], band: HistoryBand) -> dict[str, int | float | None]:
    if len(known) < band.min_batches:
        return {ROWS_MIN: None, ROWS_MAX: None}
    usual = median(one.rows for one in known)
    return {
        ROWS_MIN: math.floor(usual * (100 - band.row_count_band_percent) / 100),
        ROWS_MAX: math.ceil(usual * (100 + band.row_count_band_percent) / 100),
    }


def _usual_non_null_min(known: Sequence[AcceptedBatch], column: str, band: HistoryBand) -> float | None:
    shares = [one.null_counts[column] / one.rows for one in known if one.rows and column in one.null_counts]
    if len(shares) < band.min_batches:
        return None
    least = max(0.0, 1 - median(shares) - band.null_rate_band_points / 100)
    return math.floor(round(least * 1e6, 3)) / 1e6  # rounded first: 0.95 must not become 0.949999
