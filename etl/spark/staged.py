"""The staged rows of a batch as a DataFrame, whichever engine's gate staged them, one row per key."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from etl.aws.object_store import parse_s3_uri, read_object
from etl.batch import Batch
from etl.contract import Column, Contract
from etl.manifest import Manifest
from etl.merged import Duplicates
from etl.spark.batches import NUMBERS, Batches, map_batches, to_table
from etl.steps.dedupe import dedupe_rows
from etl.steps.keys import hash_rows, key_names, normalise_key
from etl.steps.listed_keys import MOST_LISTED
from etl.steps.merge import add_lineage
from etl.steps.stage import from_staged_file

POSITION = "_position"
_HASH = "_row_hash"
_PART_ROWS = 2**40  # more than any part has
# What dedupe_staged adds to the rows: whether a row with other values was dropped for this one.
_COLLIDES = "_collides"
# The last row of each of its partitions has no values but these.
_DROPPED = pa.schema([("_exact", pa.int64()), ("_conflicting", pa.int64())])


def read_staged(
    session: SparkSession, manifest: Manifest, declared: Contract, contract: Contract
) -> DataFrame:
    """The rows with their hash, their key as it compares (_k0, …) and their position in the file.

    `contract` is `declared` with the columns that the file brought along. Raises ManifestInvalid when run.
    """
    files = manifest.files
    new_columns = contract.column_names[len(declared.columns) :]
    schema = _with(
        _schema(contract.columns), (_HASH, pa.string()), *_key_fields(contract), (POSITION, pa.int64())
    )

    def read(batches: Batches) -> Iterator[pa.Table]:
        for number in to_table(batches, NUMBERS)["id"].to_pylist():
            part = files[number]
            rows = from_staged_file(read_object(*parse_s3_uri(part.staged_uri)), part, contract)
            keys = normalise_key(rows, contract.key)
            rows = rows.append_column(_HASH, hash_rows(rows, declared.column_names, new_columns))
            for name, values in zip(key_columns(contract), keys.columns, strict=True):
                rows = rows.append_column(name, values)
            yield rows.append_column(POSITION, pa.array(np.arange(rows.num_rows) + number * _PART_ROWS))

    return map_batches(session.range(0, len(files), 1, len(files)), read, schema)


def dedupe_staged(
    staged: DataFrame,
    contract: Contract,
    lineage: tuple[Column, ...],
    batch: Batch,
    run_id: str,
    now: datetime,
) -> DataFrame:
    """One row per key, with lineage and with its key as it compares, and how many rows were dropped for it.

    All rows with one key come to one partition, in the file's order, and there the step of the small engine
    chooses; a partition has to fit into an executor's memory.
    """
    read = _read_schema(contract)
    kept = _with(_schema((*contract.columns, *lineage)), *_key_fields(contract))
    kept = _with(kept, (POSITION, pa.int64()), (_COLLIDES, pa.bool_()))
    schema = _with(kept, *zip(_DROPPED.names, _DROPPED.types, strict=True))

    def dedupe(batches: Batches) -> Iterator[pa.Table]:
        deduped = dedupe_rows(to_table(batches, read), contract.key, _HASH, contract.deduplicate)
        rows = deduped.rows.select(contract.column_names)
        rows = add_lineage(rows, deduped.rows[_HASH], batch, run_id, now)
        for name in (*key_columns(contract), POSITION):
            rows = rows.append_column(name, deduped.rows[name])
        collides = np.zeros(rows.num_rows, bool)
        collides[deduped.collisions] = True
        rows = rows.append_column(_COLLIDES, pa.array(collides))
        yield _completed(rows, schema)
        dropped = pa.table([[deduped.exact], [deduped.conflicting]], schema=_DROPPED)
        yield _completed(dropped, schema)

    together = staged.repartition(*key_columns(contract)).sortWithinPartitions(POSITION)
    return map_batches(together, dedupe, schema)


def key_columns(contract: Contract) -> list[str]:
    """The columns of the key as it compares; no column of a contract begins with _."""
    return [f"_k{i}" for i in range(len(contract.key))]


def kept_rows(deduped: DataFrame) -> DataFrame:
    return deduped.where(F.col("_exact").isNull()).drop(*_DROPPED.names)


def count_dropped(deduped: DataFrame, contract: Contract) -> Duplicates:
    exact, conflicting = deduped.agg(*(F.coalesce(F.sum(name), F.lit(0)) for name in _DROPPED.names)).first()
    if contract.identity is None:
        return Duplicates(exact, conflicting)
    collisions = deduped.where(_COLLIDES)
    return Duplicates(exact, conflicting, collisions.count(), first_keys(collisions, contract))


def first_keys(rows: DataFrame, contract: Contract) -> pa.Table:
    """The keys of the first of `rows`, as etl.steps.listed_keys.list_keys has them."""
    found = rows.orderBy(POSITION).select(*key_columns(contract)).limit(MOST_LISTED).collect()
    types = [type_ for _, type_ in _key_fields(contract)]
    columns = [pa.array([row[i] for row in found], type_) for i, type_ in enumerate(types)]
    return pa.table(columns, names=key_names(contract.key))


def _completed(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        rows[field.name] if field.name in rows.column_names else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _read_schema(contract: Contract) -> pa.Schema:
    rows = _schema(contract.columns)
    return _with(rows, (_HASH, pa.string()), *_key_fields(contract), (POSITION, pa.int64()))


def _schema(columns: tuple[Column, ...]) -> pa.Schema:
    return pa.schema([(column.name, column.arrow_type) for column in columns])


def _key_fields(contract: Contract) -> list[tuple[str, pa.DataType]]:
    types = {column.name: column.arrow_type for column in contract.columns}
    return [
        (compared, types[name]) for compared, name in zip(key_columns(contract), contract.key, strict=True)
    ]


def _with(schema: pa.Schema, *fields: tuple[str, pa.DataType]) -> pa.Schema:
    for name, type_ in fields:
        schema = schema.append(pa.field(name, type_))
    return schema
