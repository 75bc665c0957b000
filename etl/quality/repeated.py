"""Rows that share their values with another row: found by numbering the values and sorting the numbers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from etl.quality.frame import Column

_MOST = 2**62  # numbers must stay within int64
_WIDEST = 2**31


def repeated_positions(columns: "Sequence[Column]", left_out: np.ndarray) -> np.ndarray:
    """Positions (int64, ascending) of the rows whose values in `columns` stand in another row too.

    Rows at `left_out` are neither judged nor compared with. A null equals a null.
    """
    numbers = numbered(columns)
    judged = np.delete(numbers, left_out) if len(left_out) else numbers
    ascending = np.sort(judged)
    twice = ascending[1:][ascending[1:] == ascending[:-1]]
    if not len(twice):
        return np.empty(0, np.int64)
    is_repeated = np.isin(numbers, np.unique(twice))
    is_repeated[left_out] = False
    return np.flatnonzero(is_repeated)


def numbered(columns: "Sequence[Column]") -> np.ndarray:
    """A number (int64) for each row; equal numbers for equal values in all columns, and only then."""
    numbers, count = _number_column(columns[0])
    for column in columns[1:]:
        more, more_count = _number_column(column)
        if count * more_count >= _MOST:
            values, numbers = np.unique(numbers, return_inverse=True)
            count = len(values)
        numbers = numbers * more_count + more
        count *= more_count
    return numbers


def _number_column(column: "Column") -> tuple[np.ndarray, int]:
    """Numbers from 0, and how many there can be."""
    values = column.values
    if (pa.types.is_integer(values.type) or pa.types.is_date32(values.type)) and not values.null_count:
        whole = values.cast(pa.int32()) if pa.types.is_date32(values.type) else values
        bounds = pc.min_max(whole)
        if len(values) and bounds["max"].as_py() - bounds["min"].as_py() < _WIDEST:
            return pc.subtract(whole.cast(pa.int64()), bounds["min"].cast(pa.int64())).to_numpy(), (
                bounds["max"].as_py() - bounds["min"].as_py() + 1
            )
    distinct = column.distinct
    count = len(distinct.values)
    return distinct.numbers(null=count).astype(np.int64), count + 1
