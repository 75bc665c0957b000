"""The way of a clean block: integers and dates are parsed by Arrow itself, and no string is made of them.

Arrow takes more than a contract does: ` 42`, `007`, `0x2a`. All these are longer than what they stand for
(42, 7), so the octets of the block are counted: if there are as many as its values take when they are written
plainly, with the delimiters, quotes and line ends around them, then none was written in another way. Only
hexadecimal numbers can be as short as decimal ones; they need an x.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.contract import Column
from etl.custom_properties import CsvFormat
from etl.reading.arrow import read_by_arrow
from etl.reading.blocks import BYTE_ORDER_MARK
from etl.reading.lines import count_octet
from etl.reading.quoting import count_plain_quotes
from etl.reading.strings import Strings
from etl.reading.values import FIRST_DAY, type_values

_COUNTED = {pa.int64(), pa.date32()}
_HEXADECIMAL_FROM = 10**6  # smaller numbers are longer when they are written as 0xf423f
_MOST = 10**18


def read_clean(data: bytes, columns: Sequence[Column], form: CsvFormat) -> list[pa.Array] | None:
    """The typed columns of a block in which every line is a row, and every row is as the contract says.

    None when that is not proven, which may be for other reasons than the data.
    """
    quote, delimiter = form.quote.encode(), form.delimiter.encode()
    quotes = count_plain_quotes(data, quote, delimiter) if quote in data else 0
    if quotes is None or data.startswith(BYTE_ORDER_MARK):
        return None
    try:
        types = [c.arrow_type if c.arrow_type in _COUNTED else pa.string() for c in columns]
        received = read_by_arrow(data, types, form, None)
    except pa.ArrowInvalid:
        return None
    line_ends = _octets_of_line_ends(data, received, quotes)
    if line_ends is None or _has_empty_rows(received):
        return None
    if any(_is_doubtful(values, quote if quotes else None) for values in received):
        return None
    numbers = [values for values in received if pa.types.is_integer(values.type)]
    if any(_largest(values) >= _HEXADECIMAL_FROM for values in numbers) and _has_other_x(data, received):
        return None
    delimiters = len(received[0]) * (len(columns) - 1)
    if sum(map(_octets, received)) + delimiters + quotes + line_ends != len(data):
        return None
    typed = [
        type_values(values, column) if pa.types.is_string(values.type) else values
        for values, column in zip(received, columns, strict=True)
    ]
    has_misfits = any(_lost(*pair) for pair in zip(received, typed, strict=True))
    return None if has_misfits else typed


def _octets_of_line_ends(data: bytes, received: Sequence[pa.Array], quotes: int) -> int | None:
    """How many octets the line ends take, if every row has one, of one kind, and no value holds any."""
    rows = len(received[0])
    ends = rows if data.endswith((b"\n", b"\r")) else rows - 1
    if b"\r" not in data:
        texts = (Strings(values) for values in received if pa.types.is_string(values.type))
        return None if quotes and any(text.hold(b"\n") for text in texts) else ends
    feeds, returns = count_octet(data, b"\n"), count_octet(data, b"\r")
    return feeds + returns if feeds == returns == ends and not quotes else None


def _has_empty_rows(columns: Sequence[pa.Array]) -> bool:
    """Rows without any value may be empty lines, which are no rows and have no delimiters to count."""
    empty = np.ones(len(columns[0]), bool)
    for values in columns:
        if pa.types.is_string(values.type):
            empty &= Strings(values).lengths == 0
        elif values.null_count == 0:
            return False
        else:
            empty &= pc.is_null(values).to_numpy(zero_copy_only=False)
        if not empty.any():
            return False
    return True


def _is_doubtful(values: pa.Array, quote: bytes | None) -> bool:
    """Whether counting octets would prove nothing of a column."""
    if pa.types.is_string(values.type):
        return quote is not None and Strings(values).hold(quote)
    if pa.types.is_date(values.type):
        return pc.less(pc.min(values), pa.scalar(FIRST_DAY, values.type)).as_py() is True
    return _largest(values) >= _MOST


def _largest(numbers: pa.Array) -> int:
    bounds = pc.min_max(numbers).as_py()
    return 0 if bounds["min"] is None else max(-bounds["min"], bounds["max"])


def _has_other_x(data: bytes, received: Sequence[pa.Array]) -> bool:
    """Whether there is an x outside of strings, as in a hexadecimal number."""
    texts = (Strings(values).octets for values in received if pa.types.is_string(values.type))
    return _count_x(np.frombuffer(data, np.uint8)) != sum(map(_count_x, texts))


def _count_x(octets: np.ndarray) -> int:
    return np.count_nonzero((octets | 0x20) == ord("x"))


def _octets(values: pa.Array) -> int:
    """How many octets the values take when they are written plainly."""
    if pa.types.is_string(values.type):
        return len(Strings(values).octets)
    present = len(values) - values.null_count
    if pa.types.is_date(values.type):
        return present * len("YYYY-MM-DD")
    # Nulls count as 0 here, which takes no octet more than the one of every number.
    numbers = (values.fill_null(0) if values.null_count else values).to_numpy()
    negative = np.count_nonzero(numbers < 0) if numbers.min(initial=0) < 0 else 0
    sizes = np.abs(numbers) if negative else numbers
    least, most = sizes.min(initial=_MOST), sizes.max(initial=0)
    more = sum(_at_least(sizes, 10**power, least) for power in range(1, 18) if 10**power <= most)
    return present + negative + int(more)


def _at_least(sizes: np.ndarray, bound: int, least: int) -> int:
    return len(sizes) if bound <= least else np.count_nonzero(sizes >= bound)


def _lost(received: pa.Array, typed: pa.Array) -> bool:
    """Whether a value that was there is not of its type."""
    if not pa.types.is_string(received.type) or pa.types.is_string(typed.type) or not typed.null_count:
        return False
    return typed.null_count > np.count_nonzero(Strings(received).lengths == 0)
