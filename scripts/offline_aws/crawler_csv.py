"""The columns of a CSV object as a crawler sees them, from its first megabyte."""

from __future__ import annotations

import csv
import re
import tempfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from moto.s3.models import FakeKey

SAMPLE_BYTES = 1_048_576
DELIMITERS = ",\t;|"

HIVE_TYPES = {"BIGINT": "bigint", "DOUBLE": "double", "BOOLEAN": "boolean"}
"""DuckDB's types to Hive's; dates and times stay strings, as Glue's CSV classifier leaves them."""

SNIFF = """
select Columns from sniff_csv(?, delim = ?, quote = '"', header = true, ignore_errors = true)
"""

_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d+)?\s*")

_seen: dict[str, Columns] = {}


@dataclass(frozen=True, slots=True)
class Columns:
    delimiter: str
    types: dict[str, str]
    """Hive type by lower-case name, in the order of the file."""


def read_columns(key: FakeKey) -> Columns:
    if key.etag not in _seen:
        _seen[key.etag] = infer_columns(_head(key))
    return _seen[key.etag]


def combine(files: Iterable[Columns]) -> Columns:
    return reduce(_combine_two, files)


def infer_columns(sample: bytes) -> Columns:
    """Names from the header; types from DuckDB's sniffer, or all strings where it finds no types.

    A first row with a number in it is no header: to Glue's classifier one is made of strings alone.
    """
    text = sample.decode("utf-8-sig", errors="replace")
    if len(sample) >= SAMPLE_BYTES:
        text = text[: text.rfind("\n") + 1] or text  # the last row was cut
    first_line = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first_line.count)
    header = next(csv.reader([first_line], delimiter=delimiter), [])
    types = _sniff(text, delimiter)
    if any(_NUMBER.fullmatch(name) for name in header):
        header = [""] * len(header)
    names = [name.strip().lower() or f"col{n}" for n, name in enumerate(header)]
    if len(types) != len(names):
        types = ["VARCHAR"] * len(names)
    hive_types = (HIVE_TYPES.get(found, "string") for found in types)
    return Columns(delimiter, dict(zip(names, hive_types, strict=True)))


def _sniff(text: str, delimiter: str) -> list[str]:
    import duckdb

    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        try:
            row = duckdb.connect().execute(SNIFF, [file.name, delimiter]).fetchone()
        except duckdb.Error:
            return []
    return [column["type"] for column in row[0]]


def _combine_two(left: Columns, right: Columns) -> Columns:
    types = dict(left.types)
    for name, found in right.types.items():
        types[name] = _wider(types[name], found) if name in types else found
    return Columns(left.delimiter, types)


def _wider(left: str, right: str) -> str:
    if left == right:
        return left
    return "double" if {left, right} == {"bigint", "double"} else "string"


def _head(key: FakeKey) -> bytes:
    with key.lock:
        key._value_buffer.seek(0)
        head = key._value_buffer.read(SAMPLE_BYTES)
    if key.name.lower().endswith(".gz"):
        return zlib.decompressobj(wbits=31).decompress(head, SAMPLE_BYTES)
    return head
