"""Arrow rows → the pandas frames that Great Expectations judges, made column by column as they are needed.

Types are those that GX is fast on: Arrow-backed strings, int64, float64, and datetime64[ns] where dates fit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import pandas as pd

_FIRST_NS, _LAST_NS = "1677-09-22", "2262-04-10"  # the days that datetime64[ns] can hold
_SAMPLES, _SAMPLE_ROWS = 16, 4096
_MOST_DISTINCT = 0.9  # of a sample; a column above it is taken to hold hardly a value twice


@dataclass(frozen=True, slots=True)
class Distinct:
    """The values of a column, each once, in the order of their first rows, without null.

    `encoded` is the column with each value replaced by its number among `values`; null stays null.
    """

    values: "pd.Series"
    encoded: pa.ChunkedArray

    def rows_with(self, chosen: np.ndarray) -> np.ndarray:
        """Positions (int64, ascending) of the rows with a chosen value; `chosen` has a flag per value."""
        if not chosen.any():
            return np.empty(0, np.int64)
        numbers = self.numbers(null=len(self.values))
        return np.flatnonzero(np.append(chosen, False)[numbers])

    def numbers(self, null: int) -> np.ndarray:
        """For each row the number (int32) of its value, and `null` where there is none."""
        parts = [chunk.indices.fill_null(null).to_numpy() for chunk in self.encoded.chunks]
        return np.concatenate(parts) if parts else np.empty(0, np.int32)


@dataclass(frozen=True, slots=True)
class Form:
    """What the pandas type of a column depends on, beside its type in Arrow."""

    has_nulls: bool
    fits_nanoseconds: bool

    def __or__(self, other: "Form") -> "Form":
        """Of the rows of both."""
        return Form(self.has_nulls or other.has_nulls, self.fits_nanoseconds and other.fits_nanoseconds)


def form_of(values: pa.ChunkedArray) -> Form:
    is_time = pa.types.is_date(values.type) or pa.types.is_timestamp(values.type)
    fits = not is_time or _fits_nanoseconds(values.cast(pa.timestamp("us")))
    return Form(values.null_count > 0, fits)


class Column:
    """One column, in the forms that judging it takes; each is made once, when it is first asked for."""

    def __init__(self, name: str, values: pa.ChunkedArray, form: Form | None = None):
        self.name, self.values = name, values
        self._convert = _converter(values.type, form or form_of(values))

    @cached_property
    def series(self) -> "pd.Series":
        """The whole column; its index is the position of each row."""
        return self._convert(self.values)

    @cached_property
    def dtype(self) -> object:
        """Of `series`."""
        return self._convert(self.values.slice(0, 0)).dtype

    @property
    def is_floating(self) -> bool:
        """Whether equal values need not be alike: 0.0 and -0.0, NaN."""
        return pa.types.is_floating(self.values.type)

    def take(self, positions: np.ndarray) -> "pd.Series":
        """The rows at `positions` (ascending) alone, in the same pandas type as the whole column.

        Chunk by chunk, since Arrow would first join all chunks: a copy of the column for a few rows.
        """
        ends = np.cumsum([len(chunk) for chunk in self.values.chunks])
        split = np.split(positions, np.searchsorted(positions, ends))
        taken = [
            chunk.take(pa.array(mine - (end - len(chunk))))
            for chunk, end, mine in zip(self.values.chunks, ends, split, strict=False)
            if len(mine)
        ]
        return self._convert(pa.chunked_array(taken, self.values.type))

    @cached_property
    def null_positions(self) -> np.ndarray:
        """Positions (int64, ascending) of the rows without a value; NaN counts as none, as in pandas."""
        if self.values.null_count == 0 and not self.is_floating:
            return np.empty(0, np.int64)
        return np.flatnonzero(pc.is_null(self.values, nan_is_null=True).to_numpy())

    @cached_property
    def distinct(self) -> Distinct:
        """Not for floating types, whose equal values are not all alike."""
        encoded = self.values.dictionary_encode()
        # All chunks share one dictionary.
        dictionaries = [chunk.dictionary for chunk in encoded.chunks[:1]]
        return Distinct(self._convert(pa.chunked_array(dictionaries, encoded.type.value_type)), encoded)

    @cached_property
    def has_repeats(self) -> bool:
        """Whether values repeat often enough for `distinct` to pay; a guess from a sample of the rows."""
        rows = len(self.values)
        if self.is_floating:
            return False
        if rows <= _SAMPLES * _SAMPLE_ROWS:
            return True
        starts = np.linspace(0, rows - _SAMPLE_ROWS, _SAMPLES).astype(int)
        chunks = [c for start in starts for c in self.values.slice(start, _SAMPLE_ROWS).chunks]
        sample = pa.chunked_array(chunks)
        return pc.count_distinct(sample).as_py() <= _MOST_DISTINCT * len(sample)


class Frame:
    """Rows as pandas frames with a RangeIndex, so that GX's row labels are positions in `rows`.

    Of rows that are a part of more, `forms` are those of the columns of all.
    """

    def __init__(self, rows: pa.Table, forms: Mapping[str, Form] | None = None):
        self.row_count = rows.num_rows
        known = forms or {}
        self.columns = {name: Column(name, rows[name], known.get(name)) for name in rows.column_names}

    def whole(self, names: Sequence[str] | None = None) -> "pd.DataFrame":
        """All rows of the columns named, or of all."""
        import pandas as pd

        chosen = self.columns if names is None else [n for n in self.columns if n in names]
        series = {name: self.columns[name].series for name in chosen}
        return pd.DataFrame(series, index=pd.RangeIndex(self.row_count), copy=False)

    def part(self, positions: np.ndarray) -> "pd.DataFrame":
        """The rows at `positions`, labelled with them, in the same pandas types as `whole`."""
        import pandas as pd

        series = {name: column.take(positions) for name, column in self.columns.items()}
        return pd.DataFrame(series).set_axis(positions, axis=0)


def to_frame(rows: pa.Table) -> "pd.DataFrame":
    """All rows as one frame.

    Integers with nulls become Int64 and keep every digit; a date outside the years 1678 to 2261 makes its
    column datetime64[us], slower but right.
    """
    return Frame(rows).whole()


def _converter(type_: pa.DataType, form: Form) -> "Callable[[pa.ChunkedArray], pd.Series]":
    """How a column of this form, or any part of it, becomes a Series of one and the same type."""
    import pandas as pd

    if pa.types.is_integer(type_) and form.has_nulls:
        return lambda values: values.to_pandas(types_mapper={type_: pd.Int64Dtype()}.get)
    if pa.types.is_boolean(type_) and form.has_nulls:
        return lambda values: values.to_pandas().astype(object)
    if pa.types.is_date(type_) or pa.types.is_timestamp(type_):
        unit = "ns" if form.fits_nanoseconds else "us"
        return lambda values: values.cast(pa.timestamp("us")).to_pandas().astype(f"datetime64[{unit}]")
    return lambda values: values.to_pandas()


def _fits_nanoseconds(moments: pa.ChunkedArray) -> bool:
    bounds = pc.min_max(moments)
    if not bounds["min"].is_valid:
        return True
    first, last = (pa.scalar(day).cast(pa.timestamp("us")) for day in (_FIRST_NS, _LAST_NS))
    return pc.greater_equal(bounds["min"], first).as_py() and pc.less(bounds["max"], last).as_py()
