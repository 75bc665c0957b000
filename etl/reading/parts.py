"""Blocks of lines → their rows, typed: several blocks at a time, in the file's order."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.contract import Column
from etl.custom_properties import CsvFormat
from etl.errors import FileRejected
from etl.reading.blocks import Block, OctetRefused, check_octets
from etl.reading.clean import read_clean
from etl.reading.lines import Lines, count_line_ends
from etl.reading.parse import Fields, OddRow, QuoteOpen, parse_block, parse_strictly
from etl.reading.spool import Spool
from etl.reading.values import type_values

_UNCLEAN_BLOCKS = 3  # after so many, the quickest way is not tried any more: the file is not clean


@dataclass(frozen=True, slots=True)
class UnparsableRow:
    """A row that could not be read: where it starts (the header is line 1), why, and its text as received."""

    line_number: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of `line_count` lines, column by column; a row starts on a line and takes some (int64).

    Where each line is a row, the lines are a range and the counts are 1.
    """

    columns: Sequence[pa.Array]
    line_numbers: np.ndarray | range
    line_counts: np.ndarray | int
    unparsable: Sequence[UnparsableRow]
    line_count: int

    def starting_on(self, line: int) -> "Part":
        """The same, with its first line numbered so instead of 0."""
        unparsable = [replace(row, line_number=row.line_number + line) for row in self.unparsable]
        if isinstance(self.line_numbers, range):
            return replace(self, line_numbers=range(line, line + self.line_count), unparsable=unparsable)
        return replace(self, line_numbers=self.line_numbers + line, unparsable=unparsable)


def lines_of(parts: Sequence[Part]) -> tuple[np.ndarray, np.ndarray]:
    """On which line each row of the parts starts, and how many it takes (int64)."""
    sizes = [len(part.line_numbers) for part in parts]
    numbers, counts = np.empty(sum(sizes), np.int64), np.empty(sum(sizes), np.int64)
    start = 0
    for part, size in zip(parts, sizes, strict=True):
        lines = part.line_numbers
        numbers[start : start + size] = (
            np.arange(lines.start, lines.stop) if isinstance(lines, range) else lines
        )
        counts[start : start + size] = part.line_counts
        start += size
    return numbers, counts


def read_parts(
    blocks: Iterator[Block],
    key: str,
    columns: Sequence[Column],
    form: CsvFormat,
    spool: Spool,
    first_line: int = 2,
) -> Iterator[Part]:
    """Read the lines below the header, or those from `first_line` on, and keep their text in `spool`.

    Raises FileRejected for the first octet in the file that may not be there, or quote that is not closed.
    """

    unclean: list[Block] = []

    def read(block: Block) -> Part | None:
        spool.write(block)
        check_octets(block, form)
        if len(unclean) < _UNCLEAN_BLOCKS:
            if (clean := read_clean(block.data, columns, form)) is not None:
                count = len(clean[0])
                return Part(clean, range(count), 1, (), count)
            unclean.append(block)
        fields = parse_block(block.data, len(columns), form)
        return _typed(fields, block.data, columns) if fields else None

    line = first_line
    threads = pa.cpu_count()
    with ThreadPoolExecutor(threads) as pool:
        ahead = _ahead(blocks, lambda block: pool.submit(read, block), threads + 1)
        for block, reading in ahead:
            taken: list[Block] = []
            try:
                part = _result(block, reading, taken)
                if part is None:
                    fields = parse_strictly(_texts(ahead, taken), len(columns), form)
                    part = _typed(fields, b"".join(b.data for b in taken), columns)
            except OctetRefused as octet:
                first_line = line + sum(count_line_ends(b.data) for b in taken)
                raise octet.rejection(key, first_line, form) from octet
            except QuoteOpen as quote:
                where = f"a quote opened on line {line + quote.line} is not closed where it should be"
                raise FileRejected(key, f"{where} ({quote.problem})") from quote
            spool.note(line, block.position, sum(len(b.data) for b in taken))
            yield part.starting_on(line)
            line += part.line_count


def _ahead(
    blocks: Iterator[Block], start: Callable[[Block], Future], count: int
) -> Iterator[tuple[Block, Future]]:
    """The blocks and what reads them, with `count` more begun before one is asked for."""
    pending: deque[tuple[Block, Future]] = deque()
    failure = None
    try:
        for block in blocks:
            pending.append((block, start(block)))
            if len(pending) > count:
                yield pending.popleft()
    except FileRejected as error:  # told after what is wrong with the lines before it
        failure = error
    yield from pending
    if failure:
        raise failure


def _result(block: Block, reading: Future, taken: list[Block]) -> Part | None:
    """What was read of a block; only if it has no octet that is refused, it counts as taken."""
    part = reading.result()
    taken.append(block)
    return part


def _texts(ahead: Iterator[tuple[Block, Future]], taken: list[Block]) -> Iterator[bytes]:
    """The block that was taken, and, as long as it is asked for more, those that follow."""
    yield taken[0].data
    for block, reading in ahead:
        _result(block, reading, taken)
        yield block.data


def _typed(fields: Fields, data: bytes, columns: Sequence[Column]) -> Part:
    """Rows with values of their columns' types, and those that have others; lines are numbered from 0."""
    typed = [type_values(values, column) for values, column in zip(fields.columns, columns, strict=True)]
    misfits = _misfit_reasons(columns, fields.columns, typed)
    odd = [
        *fields.odd,
        *(OddRow(int(fields.lines[row]), int(fields.counts[row]), why) for row, why in misfits.items()),
    ]
    keep = np.ones(len(fields.lines), bool)
    keep[list(misfits)] = False
    if misfits:
        typed = [values.filter(pa.array(keep)) for values in typed]
    unparsable = _with_texts(odd, data) if odd else ()
    return Part(typed, fields.lines[keep], fields.counts[keep], unparsable, fields.line_count)


def _with_texts(odd: Sequence[OddRow], data: bytes) -> list[UnparsableRow]:
    lines, in_order = Lines(data), sorted(odd, key=lambda row: row.line)
    return [UnparsableRow(row.line, row.reason, lines.text(row.line, row.count)) for row in in_order]


def _misfit_reasons(
    columns: Sequence[Column], received: Sequence[pa.Array], typed: Sequence[pa.Array]
) -> dict[int, str]:
    """Positions of rows with a field that is not of its column's type, and the columns it is about."""
    reasons: dict[int, list[str]] = {}
    for column, texts, values in zip(columns, received, typed, strict=True):
        if column.type != "string" and values.null_count:
            misfit = pc.and_(pc.is_null(values), pc.not_equal(texts, ""))
            for row in np.flatnonzero(misfit.to_numpy(zero_copy_only=False)):
                reasons.setdefault(int(row), []).append(f"{column.name} is no {column.type}")
    return {row: "; ".join(parts) for row, parts in sorted(reasons.items())}
