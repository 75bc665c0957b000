"""A file that is read in splits is the file that is read from its start."""

from __future__ import annotations

from io import BytesIO

import pyarrow as pa
import pytest
from builders import a_contract
from hypothesis import example, given
from hypothesis import strategies as st

from etl.errors import FileRejected
from etl.reading.blocks import cut_into_blocks, read_blocks
from etl.reading.splits import Refusal, Split, plan_splits, read_joining, scan_range
from etl.steps.read_csv import ReadRows, read_body, read_first_line, read_rows

pytestmark = pytest.mark.slow

CONTRACT = a_contract(a="string", b="bigint")
HEADER = b"a,b\n"
IN_ORDER = ["x,1\n", '"x\ny",2\n', '"é",3\r\n']
PIECES = [*IN_ORDER, "x", "1", ",", '"', '""', "\n", "\r\n", "\r", "\0", "x,\n"]

Told = tuple[list[dict], list[int], list[tuple[int, str, str]]]


def told(reads: list[ReadRows]) -> Told:
    rows = pa.concat_tables([read.rows for read in reads]).to_pylist()
    numbers = [int(number) for read in reads for number in read.line_numbers]
    unparsable = [(u.line_number, u.reason, u.text) for read in reads for u in read.unparsable]
    return rows, numbers, unparsable


def from_its_start(data: bytes) -> Told | str:
    try:
        return told([read_rows(BytesIO(data), "k.csv", CONTRACT)])
    except FileRejected as error:
        return str(error)


def in_splits(data: bytes, range_bytes: int) -> tuple[Told | str, list[Split]]:
    """As etl.spark.gate does it, in this process."""
    header = next(read_blocks(BytesIO(data), "k.csv", CONTRACT.csv, 100))
    columns, drift = read_first_line(header, "k.csv", CONTRACT)
    start = header.position + len(header.data)
    starts = range(start, len(data), range_bytes)
    scans = [scan_range(data[at : at + range_bytes], CONTRACT.csv) for at in starts]

    def read(splits: list[Split]) -> list[ReadRows | Refusal]:
        found: list[ReadRows | Refusal] = []
        for split in splits:
            blocks = cut_into_blocks([data[split.start : split.end]], split.start, "k.csv", CONTRACT.csv)
            try:
                found.append(read_body(blocks, "k.csv", CONTRACT, columns, drift, split.first_line))
            except FileRejected as error:
                found.append(Refusal.of(error))
        return found

    splits = plan_splits(scans, start, len(data), range_bytes)
    try:
        splits, reads = read_joining(splits, read)
    except FileRejected as error:
        return str(error), splits
    return told(reads), splits


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join), st.integers(1, 40))
@example('x"y,1\nz,2\n"a\nb",3\nc,4\n', 8)
@example('"' + "x\n" * 20, 5)
@example("x,1\r\nx,2\r\n", 4)
@example("", 5)
def test_splits_come_to_the_same_rows_lines_and_errors(text: str, range_bytes: int):
    """Whatever the quotes and line ends, and wherever the ranges: rows, line numbers, texts, and what is said
    of a file that cannot be read, are those of a file that is read from its start."""
    data = HEADER + text.encode()

    assert in_splits(data, range_bytes)[0] == from_its_start(data)


@given(st.lists(st.sampled_from(IN_ORDER), min_size=10, max_size=60), st.integers(8, 60))
def test_a_file_in_order_is_cut_in_nearly_every_range(records: list[str], range_bytes: int):
    """No two splits of such a file are joined, and none is much longer than its range and a record."""
    data = HEADER + "".join(records).encode()
    _, splits = in_splits(data, range_bytes)

    assert max(split.end - split.start for split in splits) <= 2 * range_bytes + 8
