"""Confirmed keys (etl/steps/confirmed.py) of batches that Spark merges, as the small engine keeps them."""

from collections.abc import Collection, Iterator
from uuid import uuid4

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from etl.aws.confirmations import BatchConfirmations
from etl.spark.batches import NUMBERS, Batches, map_batches, to_table
from etl.spark.staged import POSITION
from etl.steps.keys import hash_compared

_CONFIRMED = pa.schema([("_confirmed", pa.int64())])  # Spark has no unsigned numbers


def find_confirmed(
    updates: DataFrame, keys: pa.Schema, confirmations: BatchConfirmations, taken: Collection[str]
) -> DataFrame | None:
    """The positions of those `updates` whose keys newer batches confirmed; None where there is no newer one.

    `keys` are the columns of the key as it compares.
    """
    names = confirmations.newer_names(taken)
    if names is None:
        return updates.select(POSITION)
    if not names:
        return None
    session = updates.sparkSession
    numbers = session.range(0, len(names), 1, len(names))

    def read(batches: Batches) -> Iterator[pa.Table]:
        for number in to_table(batches, NUMBERS)["id"].to_pylist():
            yield pa.table([_signed(confirmations.read(names[number]))], schema=_CONFIRMED)

    def hash_keys(batches: Batches) -> Iterator[pa.Table]:
        rows = to_table(batches, keys.append(pa.field(POSITION, pa.int64())))
        yield pa.table([_signed(_hashes(rows, keys)), rows[POSITION]], schema=hashed)

    hashed = _CONFIRMED.append(pa.field(POSITION, pa.int64()))
    wanted = map_batches(updates.select(*keys.names, POSITION), hash_keys, hashed)
    return wanted.join(map_batches(numbers, read, _CONFIRMED), _CONFIRMED.names, "left_semi").select(POSITION)


def write_confirmed(left: DataFrame, keys: pa.Schema, confirmations: BatchConfirmations) -> None:
    """Keep the keys of the rows that are `left` as they are, one file a partition."""

    def write(batches: Batches) -> Iterator[pa.Table]:
        rows = to_table(batches, keys)
        if rows.num_rows:
            confirmations.write(_hashes(rows, keys), part=uuid4().hex)
        yield pa.table({"rows": [rows.num_rows]})

    counted = map_batches(left.select(*keys.names), write, pa.schema([("rows", pa.int64())]))
    counted.agg(F.sum("rows")).collect()
    confirmations.write(pa.chunked_array([], pa.uint64()))  # also where no row is left


def _hashes(rows: pa.Table, keys: pa.Schema) -> pa.ChunkedArray:
    return hash_compared(rows.select(keys.names))


def _signed(hashes: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([chunk.view(pa.int64()) for chunk in hashes.chunks], pa.int64())
