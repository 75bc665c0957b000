"""Which data files, and which of their row groups, can hold a key: told from the bounds of the key columns.

A file left out that held the key would double a row, so a file is left out only where that is proven, and
text is proven on prefixes alone. Bounds are of values as they were received, while keys compare normalised
(etl.steps.keys): composed, white space folded, perhaps without case. What survives all of that is a run of
ASCII letters, digits and signs at the start: if both bounds of a file start with `Sm`, so does every value in
it, and so does the decomposed form of every key made of those, but for the case of letters. The characters
behind it still bound the next one if they are ASCII and no space. A bound that starts otherwise proves
nothing, nor does a missing one.
"""

import string
from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_LASTING = frozenset(string.ascii_letters + string.digits + string.punctuation)
_PREFIX = 16  # characters that Iceberg keeps of a text's bounds, unless told otherwise

_INTEGERS = (pa.int32(), pa.int64())
Bounds = tuple[bytes | None, bytes | None]


class _KeyColumn(Protocol):
    def may_meet(self, lower: bytes, upper: bytes) -> bool:
        """Whether a value of the column can equal one between these, as Iceberg serialises them."""
        ...


class WantedRanges:
    """The wanted values of each key column, to be met with the bounds of many files."""

    def __init__(self, keys: pa.Table):
        self._columns = [_key_column(column) for column in keys.columns]

    def may_stand_in(self, bounds: Sequence[Bounds]) -> bool:
        """Whether a file with these bounds, lower and upper of each key column, can hold a wanted key."""
        return all(
            column is None or lower is None or upper is None or column.may_meet(lower, upper)
            for column, (lower, upper) in zip(self._columns, bounds, strict=True)
        )


def _key_column(values: pa.ChunkedArray) -> _KeyColumn | None:
    """None for a type whose bounds are not looked at."""
    if values.type in (*_INTEGERS, pa.date32(), pa.timestamp("us")):
        return _Numbers(values)
    return _Texts(values) if pa.types.is_string(values.type) else None


class _Numbers:
    """Integers, dates and times."""

    def __init__(self, values: pa.ChunkedArray):
        plain = values.cast(pa.int32() if pa.types.is_date32(values.type) else pa.int64())
        self._values = np.unique(plain.drop_null().to_numpy())

    def may_meet(self, lower: bytes, upper: bytes) -> bool:
        # A file from before a column was widened has bounds of the narrower type.
        first = np.searchsorted(self._values, int.from_bytes(lower, "little", signed=True))
        last = np.searchsorted(self._values, int.from_bytes(upper, "little", signed=True), side="right")
        return bool(first < last)


class _Texts:
    def __init__(self, values: pa.ChunkedArray):
        self._received = values

    @cached_property
    def _prefixes(self) -> pa.Array:
        """What starts the decomposed values, in lower case and in order. Only some files ask for it."""
        decomposed = pc.utf8_normalize(self._received.unique().drop_null(), form="NFD")
        return pc.utf8_slice_codeunits(pc.ascii_lower(decomposed), 0, _PREFIX).unique().sort()

    def may_meet(self, lower: bytes, upper: bytes) -> bool:
        least, greatest = _lasting_prefixes(*(bound.decode(errors="replace") for bound in (lower, upper)))
        if not least:
            return True
        place = bisect_left(self._prefixes, least, key=pa.StringScalar.as_py)
        return place < len(self._prefixes) and self._prefixes[place].as_py()[: len(least)] <= greatest


def _lasting_prefixes(lower: str, upper: str) -> tuple[str, str]:
    """What every value between these starts with at least and at most, in lower case, as long as it lasts."""
    least = greatest = ""
    for low, high in zip(lower[:_PREFIX], upper, strict=False):
        if low not in _LASTING or high not in _LASTING:
            break
        between = [chr(code).lower() for code in range(ord(low), ord(high) + 1)]
        least, greatest = least + min(between), greatest + max(between)
        if low != high:
            break
    return least, greatest
