"""Where a large file can be cut, so that its pieces are read at the same time and come to the same rows.

A piece begins on a line of its own, at a guess: after an even number of quotes. The guess is wrong where the
quotes of a file are not in order. Then a quote is open at the end of the piece before, as reading it shows,
and the two are read as one (read_joining). So a piece that could be read ends where a row does, and the next
one begins a row, as it would if the whole file were read from its start.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeVar

import numpy as np

from etl.custom_properties import CsvFormat
from etl.errors import FileRejected
from etl.reading.blocks import LONGEST_LINE, is_utf8
from etl.reading.lines import count_line_ends
from etl.reading.parse import QuoteOpen

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Split:
    """Bytes of a file from `start` up to `end`; `first_line` is the number of the line they begin with."""

    start: int
    end: int
    first_line: int

    def may_be_joined(self) -> bool:
        """Whether a quote that is open at its end may be closed behind it: no record is longer."""
        return self.end - self.start <= 2 * LONGEST_LINE


@dataclass(frozen=True, slots=True)
class RangeScan:
    """What is known of a range of bytes: how many quotes and line ends, and where a split may begin.

    `cuts` are, for an even and for an odd number of quotes before it, the first place behind a line feed (in
    bytes from the start of the range) and the line ends before it; None where there is none.
    """

    has_odd_quotes: bool
    line_ends: int
    cuts: tuple[tuple[int, int] | None, tuple[int, int] | None]
    begins_with_feed: bool
    ends_with_return: bool


def can_be_split(key: str, form: CsvFormat) -> bool:
    """Of a packed file, or one that has to be transcoded, no one knows what stands where."""
    return not key.endswith(".gz") and is_utf8(form)


def scan_range(data: bytes, form: CsvFormat) -> RangeScan:
    octets = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(octets == ord(form.quote))
    feeds = np.flatnonzero(octets == ord("\n"))
    is_odd = np.searchsorted(quotes, feeds) % 2 == 1
    cuts = []
    for wanted in (~is_odd, is_odd):
        first = int(feeds[wanted.argmax()]) + 1 if wanted.any() else None
        cuts.append(None if first is None else (first, count_line_ends(data[:first])))
    return RangeScan(
        has_odd_quotes=len(quotes) % 2 == 1,
        line_ends=count_line_ends(data),
        cuts=(cuts[0], cuts[1]),
        begins_with_feed=data.startswith(b"\n"),
        ends_with_return=data.endswith(b"\r"),
    )


def plan_splits(scans: Sequence[RangeScan], start: int, size: int, range_bytes: int) -> list[Split]:
    """The splits of the bytes from `start`, where line 2 begins, up to `size`.

    `scans` are of the ranges of `range_bytes` bytes that follow each other from `start` on.
    """
    starts = [(start, 2)]
    line, in_quotes, after_return = 2, False, False
    for number, scan in enumerate(scans):
        line -= after_return and scan.begins_with_feed  # a CRLF that two ranges share
        if number:
            cut = scan.cuts[in_quotes]
            if cut is None and (cut := scan.cuts[not in_quotes]):
                in_quotes = not in_quotes
            if cut and start + number * range_bytes + cut[0] < size:
                starts.append((start + number * range_bytes + cut[0], line + cut[1]))
        in_quotes ^= scan.has_odd_quotes
        line += scan.line_ends
        after_return = scan.ends_with_return
    ends = [*(position for position, _ in starts[1:]), size]
    return [Split(position, end, line) for (position, line), end in zip(starts, ends, strict=True)]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A split that could not be read; `is_quote_open` if what comes behind it may change that."""

    error: FileRejected
    is_quote_open: bool

    @classmethod
    def of(cls, error: FileRejected) -> Self:
        return cls(error, isinstance(error.__cause__, QuoteOpen))


def read_joining(
    splits: Sequence[Split], read: Callable[[Sequence[Split]], Sequence[Result | Refusal]]
) -> tuple[list[Split], list[Result]]:
    """What was read of each split, and the splits it took. Raises FileRejected for the first refused one."""
    splits, results = [*splits], [*read(splits)]
    while refused := [number for number, result in enumerate(results) if isinstance(result, Refusal)]:
        first = refused[0]
        refusal, is_last = results[first], first == len(splits) - 1
        if not refusal.is_quote_open or is_last or not splits[first].may_be_joined():
            raise refusal.error
        whole = replace(splits[first], end=splits[first + 1].end)
        splits[first : first + 2] = [whole]
        results[first : first + 2] = read([whole])
    return splits, results
