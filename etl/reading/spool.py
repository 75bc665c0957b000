"""The text of a file's rows, kept while only their values are worked with."""

import os
import tempfile
import weakref
from bisect import bisect_right
from collections.abc import Iterable
from itertools import groupby

from etl.reading.blocks import Block
from etl.reading.lines import Lines

IN_MEMORY_BYTES = 64 * 2**20  # of small files nothing is written to disk at all


class Spool:
    """The first blocks in memory, the others in a temporary file.

    The file has no name, so that nothing is left of it once the process is gone; it is closed with the last
    reference to the spool. Blocks may be written from several threads.
    """

    def __init__(self, in_memory_bytes: int = IN_MEMORY_BYTES) -> None:
        self._in_memory_bytes = in_memory_bytes
        self._blocks: dict[int, bytes] = {}
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed by what follows
        self._close = weakref.finalize(self, self._file.close)
        self._first_lines: list[int] = []
        self._spans: list[tuple[int, int]] = []

    def write(self, block: Block) -> None:
        if block.position + len(block.data) <= self._in_memory_bytes:
            self._blocks[block.position] = block.data
            return
        written = 0
        while written < len(block.data):
            view = memoryview(block.data)[written:]
            written += os.pwrite(self._file.fileno(), view, block.position + written)

    def note(self, first_line: int, position: int, size: int) -> None:
        """Say which lines stand in which bytes: in ascending order, and no row may reach beyond them."""
        self._first_lines.append(first_line)
        self._spans.append((position, size))

    def texts(self, rows: Iterable[tuple[int, int]]) -> list[str]:
        """The text, as received, of rows given by first line and number of lines, in ascending order."""
        found = []
        for index, mine in groupby(rows, lambda row: bisect_right(self._first_lines, row[0]) - 1):
            lines = Lines(self._read(*self._spans[index]))
            found += [lines.text(first - self._first_lines[index], count) for first, count in mine]
        return found

    def _read(self, position: int, size: int) -> bytes:
        """Whole blocks: of several, each is in memory or on disk."""
        data = b""
        while len(data) < size:
            start = position + len(data)
            data += self._blocks.get(start) or os.pread(self._file.fileno(), size - len(data), start)
        return data

    def close(self) -> None:
        self._close()
