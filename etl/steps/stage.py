"""Rows that passed ↔ the staged Parquet file between gate and merge."""

import hashlib
import io

import pyarrow as pa
import pyarrow.parquet as pq

from etl.contract import Contract
from etl.errors import ManifestInvalid
from etl.manifest import Manifest


def to_staged_file(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(rows, sink, compression="zstd")
    return sink.getvalue()


def checksum(staged: bytes) -> str:
    return hashlib.sha256(staged).hexdigest()


def from_staged_file(staged: bytes, manifest: Manifest, contract: Contract) -> pa.Table:
    """The rows that the gate passed, which have exactly the columns of `contract`.

    Raises ManifestInvalid unless these are the very bytes and rows, each has a whole key (a null is equal to
    nothing, so the row would be inserted again with every batch), and the contract is still the one that they
    were read by.
    """
    if checksum(staged) != manifest.staged_sha256:
        raise ManifestInvalid(manifest.staged_uri, "the staged file is not the one the gate wrote")
    rows = pq.read_table(io.BytesIO(staged))
    if rows.num_rows != manifest.rows_passed:
        raise ManifestInvalid(manifest.staged_uri, f"{rows.num_rows} rows, not {manifest.rows_passed}")
    types = {column.name: column.arrow_type for column in contract.columns}
    if [*zip(rows.schema.names, rows.schema.types, strict=True)] != [*types.items()]:
        raise ManifestInvalid(manifest.staged_uri, "the contract changed since the gate read the file")
    if keyless := [name for name in contract.key if rows[name].null_count]:
        raise ManifestInvalid(manifest.staged_uri, f"rows without a value in key column {', '.join(keyless)}")
    return rows
