"""A stream of CSV → typed rows, and the rows that could not be read.

Strict by the contract: a value is taken as it stands or its row is set aside; nothing is coerced, shifted or
dropped. The stream is read once, a block of lines at a time (etl/reading); what stays in memory are the typed
rows, while the text of all rows is on disk until it is no longer needed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from etl.contract import Column, Contract
from etl.reading.blocks import Block, OctetRefused, check_octets, read_blocks
from etl.reading.header import read_header
from etl.reading.parts import Part, UnparsableRow, lines_of, read_parts
from etl.reading.spool import Spool
from etl.schema_drift import Drift

BLOCK_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class ReadRows:
    """`rows` has the contract's columns and types, in the file's order; an empty field is null.

    Where `drift` says so, it has new columns too, as text, and missing ones, null, behind all others.
    `line_numbers` (int64) and `line_counts` (int64) tell for each row on which line it starts and how many
    it takes.
    """

    rows: pa.Table
    line_numbers: np.ndarray
    line_counts: np.ndarray
    unparsable: tuple[UnparsableRow, ...]
    drift: Drift
    spool: Spool

    @property
    def count(self) -> int:
        return self.rows.num_rows + len(self.unparsable)

    @property
    def unparsable_count(self) -> int:
        return len(self.unparsable)

    @property
    def null_counts(self) -> dict[str, int]:
        return {name: self.rows[name].null_count for name in self.rows.column_names}

    def texts_of(self, positions: Sequence[int] | np.ndarray) -> list[str]:
        """Rows as they were received, byte for byte but for the line end; quickest in ascending order."""
        rows = np.asarray(positions, np.int64)
        lines, counts = self.line_numbers[rows].tolist(), self.line_counts[rows].tolist()
        return self.spool.texts(zip(lines, counts, strict=True))


def read_rows(stream: BinaryIO, key: str, contract: Contract, block_bytes: int = BLOCK_BYTES) -> ReadRows:
    """Read one file to its end; `key` names it in errors, and `.gz` at its end means gzip.

    Raises FileRejected when the file as a whole is not what the contract says.
    """
    blocks = read_blocks(stream, key, contract.csv, block_bytes)
    header = next(blocks)
    columns, drift = read_first_line(header, key, contract)
    return read_body(blocks, key, contract, columns, drift)


def read_first_line(header: Block, key: str, contract: Contract) -> tuple[list[Column], Drift]:
    """Raises FileRejected when it is not the header of a file of the contract."""
    try:
        check_octets(header, contract.csv)
    except OctetRefused as octet:
        raise octet.rejection(key, 1, contract.csv) from octet
    return read_header(header.data, key, contract)


def read_body(
    blocks: Iterator[Block],
    key: str,
    contract: Contract,
    columns: Sequence[Column],
    drift: Drift,
    first_line: int = 2,
) -> ReadRows:
    """Read what comes below the header, or from `first_line` on; `columns` and `drift` are the header's."""
    spool = Spool()
    parts = list(read_parts(blocks, key, columns, contract.csv, spool, first_line))
    line_numbers, line_counts = lines_of(parts)
    return ReadRows(
        rows=_to_table(parts, columns, contract),
        line_numbers=line_numbers,
        line_counts=line_counts,
        unparsable=tuple(row for part in parts for row in part.unparsable),
        drift=drift,
        spool=spool,
    )


def _to_table(parts: Sequence[Part], columns: Sequence[Column], contract: Contract) -> pa.Table:
    rows = pa.table(
        {
            column.name: pa.chunked_array([part.columns[place] for part in parts], column.arrow_type)
            for place, column in enumerate(columns)
        }
    )
    for column in contract.columns:
        if column.name not in rows.column_names:
            rows = rows.append_column(column.name, pa.nulls(rows.num_rows, column.arrow_type))
    return rows
