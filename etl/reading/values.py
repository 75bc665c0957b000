"""Strings as received → values of a column's type; null where a field is empty or no such value.

What a value must look like is said by patterns, since Arrow's casts alone would take `+1`, `007` or `1e3`.
Matching a pattern costs more than all the rest of reading, so most values are proven to match it by a few
passes over their bytes; only the doubtful ones are matched. A proof may doubt too much, never too little.
"""

from collections.abc import Callable
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.contract import Column
from etl.reading.strings import Strings

FIRST_DAY = date(1, 1, 1)  # Python, and so PyIceberg, knows no year 0; Arrow does.
_DAY = r"(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-[0-9]{2}-[0-9]{2}"
_PATTERNS = {
    "bigint": r"^(0|-?[1-9][0-9]*)$",
    "double": r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$",
    "boolean": r"^(true|false)$",
    "date": rf"^{_DAY}$",
    "timestamp": rf"^{_DAY}[T ][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]{{1,6}})?$",
    "decimal": r"^-?[0-9]+(\.[0-9]+)?$",
}
_SURE_DIGITS = 18  # every integer of so many digits has 64 bits


def type_values(values: pa.Array, column: Column) -> pa.Array:
    """`values` are strings without nulls."""
    strings = Strings(values)
    present = strings.with_empty_as_null()
    if column.type == "string":
        return present
    if not len(strings.octets):
        return pa.nulls(len(values), column.arrow_type)
    kind = column.type.split("(")[0]
    doubtful = _DOUBTS[kind](strings) & (strings.lengths > 0)
    if not doubtful.any():
        return _finish(_cast(present, column.arrow_type), present, column)
    mask = pa.array(doubtful)
    sure = _cast(pc.if_else(mask, None, present), column.arrow_type)
    if sure is None:
        return _finish(None, present, column)
    checked = type_by_pattern(present.filter(mask), column)
    return pc.replace_with_mask(_finish(sure, present, column), mask, checked)


def type_by_pattern(present: pa.Array, column: Column) -> pa.Array:
    """The definition of what a column's values are: they match its pattern, and Arrow can cast them."""
    fitting = pc.match_substring_regex(present, _PATTERNS[column.type.split("(")[0]])
    return _finite(_cast_or_null(pc.if_else(fitting, present, None), column.arrow_type))


def _finish(cast: pa.Array | None, present: pa.Array, column: Column) -> pa.Array:
    """The cast of what is sure, or, if it failed (nobody doubts 2026-02-30), of all by the pattern."""
    if cast is None:
        return type_by_pattern(present, column)
    if pa.types.is_temporal(cast.type):
        first = pa.scalar(_FIRST_MOMENT[cast.type], cast.type)
        has_year_0 = pc.less(pc.min(cast), first).as_py()
        return pc.if_else(pc.greater_equal(cast, first), cast, None) if has_year_0 else cast
    return _finite(cast)


_FIRST_MOMENT = {pa.date32(): FIRST_DAY, pa.timestamp("us"): datetime(1, 1, 1)}


def _finite(cast: pa.Array) -> pa.Array:
    """Arrow makes infinity of a number that is too large."""
    return pc.if_else(pc.is_finite(cast), cast, None) if pa.types.is_floating(cast.type) else cast


def _cast(values: pa.Array, to_type: pa.DataType) -> pa.Array | None:
    try:
        return pc.cast(values, to_type)
    except pa.ArrowInvalid:
        return None


def _cast_or_null(values: pa.Array, to_type: pa.DataType) -> pa.Array:
    """Cast all; where that fails, halve until the values that cannot be cast (2026-02-30) stand alone."""
    if (cast := _cast(values, to_type)) is not None:
        return cast
    if len(values) == 1:
        return pa.nulls(1, to_type)
    middle = len(values) // 2
    return pa.concat_arrays([_cast_or_null(half, to_type) for half in (values[:middle], values[middle:])])


def _doubt_integers(strings: Strings) -> np.ndarray:
    """All but `-?[1-9][0-9]*` and `0`, of few digits."""
    is_negative = strings.first == ord("-")
    is_padded = (strings.octet(is_negative.astype(np.int32)) == ord("0")) & (strings.lengths > 1)
    doubtful = is_padded | (strings.lengths > _SURE_DIGITS) | (is_negative & (strings.lengths == 1))
    strange = ~strings.are_digits
    if np.count_nonzero(strange) != np.count_nonzero(is_negative):
        strange[strings.starts[is_negative]] = False
        doubtful[strings.holding(strange)] = True
    return doubtful


def _doubt_decimals(strings: Strings) -> np.ndarray:
    return _doubt_numbers(strings, b"0123456789-.")


def _doubt_doubles(strings: Strings) -> np.ndarray:
    return _doubt_numbers(strings, b"0123456789-.+eE")


def _doubt_numbers(strings: Strings, octets: bytes) -> np.ndarray:
    """All with other octets, or whose points, start and end are not digits, as Arrow takes `.5` and `5.`."""
    is_digit = strings.are_digits
    is_negative = strings.first == ord("-")
    doubtful = ~is_digit[strings.places(is_negative.astype(np.int32))]
    doubtful |= ~is_digit[strings.places(strings.lengths - 1)] | (is_negative & (strings.lengths == 1))
    strange = ~strings.are_in(octets)
    points = np.flatnonzero(strings.octets == ord("."))
    around = is_digit.take(points - 1, mode="clip") & is_digit.take(points + 1, mode="clip")
    strange[points[~around]] = True
    doubtful[strings.holding(strange)] = True
    return doubtful


def _doubt_days(strings: Strings) -> np.ndarray:
    """All but those of ten octets: of these, Arrow takes YYYY-MM-DD alone."""
    return strings.lengths != len("YYYY-MM-DD")


def _doubt_moments(strings: Strings) -> np.ndarray:
    """All but YYYY-MM-DD?hh:mm:ss with up to six decimals; what is not a digit there, Arrow refuses."""
    whole = len("YYYY-MM-DD hh:mm:ss")
    decimals = strings.lengths - whole - 1
    doubtful = (decimals != -1) & ((decimals < 1) | (decimals > 6))
    for place in (13, 16):
        doubtful |= strings.octet(place) != ord(":")
    return doubtful | ((decimals > 0) & (strings.octet(whole) != ord(".")))


def _doubt_booleans(strings: Strings) -> np.ndarray:
    is_true, is_false = (pc.equal(strings.values, word) for word in ("true", "false"))
    return pc.invert(pc.or_(is_true, is_false)).to_numpy(zero_copy_only=False)


_DOUBTS: dict[str, Callable[[Strings], np.ndarray]] = {
    "bigint": _doubt_integers,
    "double": _doubt_doubles,
    "boolean": _doubt_booleans,
    "date": _doubt_days,
    "timestamp": _doubt_moments,
    "decimal": _doubt_decimals,
}
