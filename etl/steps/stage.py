"""Rows that passed ↔ the staged Parquet file between gate and merge."""

import hashlib
import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from etl.contract import Column
from etl.errors import ManifestInvalid
from etl.manifest import Manifest


def to_staged_file(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(rows, sink, compression="zstd")
    return sink.getvalue()


def checksum(staged: bytes) -> str:
    return hashlib.sha256(staged).hexdigest()


def from_staged_file(staged: bytes, manifest: Manifest, columns: Sequence[Column]) -> pa.Table:
    """The rows that the gate passed, which have exactly `columns`.

    Raises ManifestInvalid unless these are the very bytes and rows, and the contract is still the one that
    they were read by.
    """
    if checksum(staged) != manifest.staged_sha256:
        raise ManifestInvalid(manifest.staged_uri, "the staged file is not the one the gate wrote")
    rows = pq.read_table(io.BytesIO(staged))
    if rows.num_rows != manifest.rows_passed:
        raise ManifestInvalid(manifest.staged_uri, f"{rows.num_rows} rows, not {manifest.rows_passed}")
    if rows.schema.names != [c.name for c in columns] or rows.schema.types != [c.arrow_type for c in columns]:
        raise ManifestInvalid(manifest.staged_uri, "the contract changed since the gate read the file")
    return rows
