"""A block of lines → its rows as strings.

Arrow reads blocks without quotes, and those whose quotes are proven to be in order. Only a parser that knows
physical lines and complains about stray quotes is safe for the others: the standard library's csv module in
strict mode, which is some twenty times slower.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from etl.custom_properties import CsvFormat
from etl.reading.arrow import read_by_arrow
from etl.reading.blocks import BYTE_ORDER_MARK, LONGEST_LINE
from etl.reading.lines import Lines, count_line_ends, without_line_end
from etl.reading.quoting import count_plain_quotes, quotes_are_in_order
from etl.reading.strings import Strings

_QUOTE_LEFT_OPEN = "unexpected end of data"  # as csv says it


@dataclass(frozen=True, slots=True)
class OddRow:
    """A row that cannot be used: the line it starts on, counted from 0 in its block, its lines, and why."""

    line: int
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class Fields:
    """The rows of some lines as strings without nulls, column by column, before any typing.

    `lines` (int64) and `counts` (int64) say of each row on which line it starts, from 0, and how many it
    takes; `line_count` is how many there are in all.
    """

    columns: Sequence[pa.Array]
    lines: np.ndarray
    counts: np.ndarray
    odd: Sequence[OddRow]
    line_count: int


class QuoteOpen(Exception):
    """A quote that opens on `line` (from 0) is not closed where it should be: rows may be swallowed."""

    def __init__(self, line: int, problem: str):
        super().__init__(line, problem)
        self.line, self.problem = line, problem


def parse_block(data: bytes, width: int, form: CsvFormat) -> Fields | None:
    """The rows of whole lines that begin outside quotes; None when it takes `parse_strictly` to read them."""
    quote, delimiter = form.quote.encode(), form.delimiter.encode()
    if data.startswith(BYTE_ORDER_MARK):  # it is part of a value here, and Arrow would drop it
        return None
    has_quotes = quote in data
    is_plain = has_quotes and count_plain_quotes(data, quote, delimiter) is not None
    if has_quotes and not is_plain and not quotes_are_in_order(data, quote, delimiter):
        return None
    wrong: list[arrow_csv.InvalidRow] = []

    def set_aside(row: arrow_csv.InvalidRow) -> str:
        wrong.append(row)
        return "skip"

    try:
        columns = read_by_arrow(data, [pa.string()] * width, form, set_aside)
    except pa.ArrowInvalid:
        return None
    # What looks plain is so only if no value holds a quote; values of wrong rows are not seen here.
    is_proven = not is_plain or not (wrong or any(Strings(column).hold(quote) for column in columns))
    if not is_proven and not quotes_are_in_order(data, quote, delimiter):
        return None
    # Without quotes each line is a row, and there is nothing to count.
    line_count = _count_lines(data) if has_quotes else len(columns[0]) + len(wrong)
    return _place(data, columns, wrong, line_count)


def _count_lines(data: bytes) -> int:
    return count_line_ends(data) + (not data.endswith((b"\n", b"\r")))


def _place(
    data: bytes, columns: list[pa.Array], wrong: Sequence[arrow_csv.InvalidRow], line_count: int
) -> Fields:
    """Find out on which lines the rows stand."""
    total = len(columns[0]) + len(wrong)
    wrong_numbers = np.array([row.number for row in wrong], np.int64) - 1
    numbers = np.delete(np.arange(total), wrong_numbers)
    counts = np.ones(total, np.int64)
    if line_count != total:
        for column in columns:
            counts[numbers] += _line_ends_within(column)
        counts[wrong_numbers] += np.array([count_line_ends(row.text.encode()) for row in wrong], np.int64)
    starts = np.cumsum(counts) - counts
    odd = [
        OddRow(
            int(starts[row.number - 1]), int(counts[row.number - 1]), ragged(len(columns), row.actual_columns)
        )
        for row in wrong
    ]
    filled = _filled_rows(columns, starts[numbers], data)
    if filled is not None:
        columns = [column.filter(pa.array(filled)) for column in columns]
        numbers = numbers[filled]
    return Fields(columns, starts[numbers], counts[numbers], odd, line_count)


def _line_ends_within(column: pa.Array) -> np.ndarray:
    feeds, bare, both = (pc.count_substring(column, end).to_numpy() for end in ("\n", "\r", "\r\n"))
    return feeds + bare - both


def _filled_rows(columns: Sequence[pa.Array], starts: np.ndarray, data: bytes) -> np.ndarray | None:
    """Which rows are no empty lines, which Arrow reads as rows of empty fields; None if all are."""
    suspects = np.arange(len(starts))
    for column in columns:
        suspects = suspects[Strings(column).lengths[suspects] == 0]
        if not len(suspects):
            return None
    lines = Lines(data)
    filled = np.ones(len(starts), bool)
    filled[suspects] = [lines.text(int(starts[row])) != "" for row in suspects]
    return filled


def parse_strictly(blocks: Iterable[bytes], width: int, form: CsvFormat) -> Fields:
    """The rows of as many blocks as it takes until one ends where a row does; the first begins one.

    Raises QuoteOpen where it is not certain which row a line belongs to.
    """
    csv.field_size_limit(LONGEST_LINE)
    feed = _LineFeed(blocks)
    reader = csv.reader(feed, delimiter=form.delimiter, quotechar=form.quote, strict=True)
    records: list[list[str]] = []
    lines: list[int] = []
    counts: list[int] = []
    odd: list[OddRow] = []
    while not feed.is_between_blocks:
        start = reader.line_num
        feed.taken.clear()
        try:
            record = next(reader)
        except csv.Error as error:
            # After an odd number of quotes on the line, what follows may be the rest of a value.
            is_open = feed.taken[0].count(form.quote) % 2 == 1
            if is_open or reader.line_num > start + 1 or _QUOTE_LEFT_OPEN in str(error):
                raise QuoteOpen(start, str(error)) from None
            odd.append(OddRow(start, 1, f"misplaced quote ({error})"))
            continue
        count = reader.line_num - start
        if len(record) == width:
            records.append(record)
            lines.append(start)
            counts.append(count)
        elif record:
            odd.append(OddRow(start, count, ragged(width, len(record))))
    columns = [pa.array([record[i] for record in records], pa.string()) for i in range(width)]
    return Fields(columns, np.array(lines, np.int64), np.array(counts, np.int64), odd, reader.line_num)


class _LineFeed:
    """Lines with their ends, out of blocks that are taken only when a row goes on into them."""

    def __init__(self, blocks: Iterable[bytes]):
        self._blocks = iter(blocks)
        self._lines: Iterator[str] = iter(())
        self._next: str | None = None
        self._open_block()
        self.taken: list[str] = []

    @property
    def is_between_blocks(self) -> bool:
        return self._next is None

    def __iter__(self) -> "_LineFeed":
        return self

    def __next__(self) -> str:
        if self._next is None and not self._open_block():
            raise StopIteration
        line, self._next = self._next or "", next(self._lines, None)
        self.taken.append(line)
        return line

    def _open_block(self) -> bool:
        block = next(self._blocks, None)
        self._lines = io.StringIO((block or b"").decode(), newline="")
        self._next = next(self._lines, None)
        return block is not None


def parse_line(line: bytes, form: CsvFormat) -> list[str]:
    """The fields of one line; raises csv.Error."""
    text = without_line_end(line).decode()
    return next(csv.reader([text], delimiter=form.delimiter, quotechar=form.quote, strict=True), [])


def ragged(expected: int, found: int) -> str:
    return f"{found} fields where the header has {expected}"
