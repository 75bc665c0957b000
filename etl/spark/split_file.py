"""A landed file in splits: the driver finds out where they begin, executors read them."""

import io
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO

from etl.aws.lake import Lake
from etl.aws.object_store import open_batch, open_range
from etl.batch import Batch
from etl.contract import Column, Contract
from etl.reading.blocks import cut_into_blocks, read_blocks, read_chunks
from etl.reading.splits import Split
from etl.schema_drift import Drift
from etl.steps.read_csv import BLOCK_BYTES, ReadRows, read_body, read_first_line

_HEADER_BYTES = 2**16


@dataclass(frozen=True, slots=True)
class SplitFile:
    """`columns` and `drift` are the header's; without `splits`, the file is read in one piece."""

    batch: Batch
    contract: Contract
    columns: Sequence[Column]
    drift: Drift
    body_start: int
    splits: Sequence[Split] | None = None

    def __len__(self) -> int:
        return 1 if self.splits is None else len(self.splits)

    def read(self, number: int) -> ReadRows:
        """The rows of one piece. Raises FileRejected, which tells lines and bytes of the whole file."""
        batch, key, form = self.batch, self.batch.key, self.contract.csv
        if self.splits is None:
            with closing(open_batch(batch)) as stream:
                blocks = read_blocks(stream, key, form, BLOCK_BYTES)
                next(blocks)  # the header
                return read_body(blocks, key, self.contract, self.columns, self.drift)
        split = self.splits[number]
        with closing(_open(batch, split.start, split.end)) as stream:
            blocks = cut_into_blocks(read_chunks(stream, BLOCK_BYTES), split.start, key, form)
            return read_body(blocks, key, self.contract, self.columns, self.drift, split.first_line)


def open_file(batch: Batch, lake: Lake, contract: Contract) -> SplitFile:
    """The file in one piece, by its header. Raises FileRejected."""
    with closing(lake.open_batch(batch)) as stream:
        header = next(read_blocks(stream, batch.key, contract.csv, _HEADER_BYTES))
    columns, drift = read_first_line(header, batch.key, contract)
    return SplitFile(batch, contract, columns, drift, header.position + len(header.data))


def read_range(batch: Batch, start: int, end: int) -> bytes:
    with closing(_open(batch, start, end)) as stream:
        return stream.read()


def _open(batch: Batch, start: int, end: int) -> BinaryIO:
    return open_range(batch, start, end) if end > start else io.BytesIO()
