"""The merge on Spark: planned on one snapshot, and merged into that one. The rules are the small engine's."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from etl.aws.confirmations import BatchConfirmations
from etl.batch import MergeMode
from etl.contract import LINEAGE_COLUMNS, Column, Contract
from etl.custom_properties import Identity
from etl.errors import CommitConflict, KeyNotUnique
from etl.merged import Merged
from etl.spark.batches import Batches, map_batches
from etl.spark.confirmed import find_confirmed, write_confirmed
from etl.spark.pinned import PinnedTable
from etl.spark.staged import POSITION, first_keys, key_columns
from etl.steps.keys import normalise_key
from etl.tables.iceberg import IcebergTable
from etl.tables.table import COUNTS
from etl.tables.writing import write_once

_ACTION = "_action"
_WRITES = ("insert", "update")
_CONFIRMED = "_confirmed"
_WHOSE = "_whose"  # of a key that is only looked up: the position of the row that may be known by it
# Of the row that the table has: what decides whether it is overwritten.
_OF_TABLE = {"_row_hash": "_t_hash", "_batch_date": "_t_batch_date", "_landed_at": "_t_landed_at"}


def merge_rows(
    rows: DataFrame,
    row_count: int,
    table: IcebergTable,
    pinned: PinnedTable,
    marks: Mapping[str, str],
    contract: Contract,
    mode: MergeMode,
    columns: Sequence[Column],
    confirmations: BatchConfirmations | None = None,
) -> Merged:
    """What etl.tables.writing.merge_batch does, with `rows` (of etl.spark.staged) and the MERGE on Spark.

    `table` and `pinned` are the same one: its history and its schema are PyIceberg's here too.
    """

    def merge() -> Merged:
        return _merge(rows, table, pinned, marks, contract, mode, confirmations)

    return write_once(table, row_count, marks, columns, merge)


def _merge(
    rows: DataFrame,
    table: IcebergTable,
    pinned: PinnedTable,
    marks: Mapping[str, str],
    contract: Contract,
    mode: MergeMode,
    confirmations: BatchConfirmations | None,
) -> Merged:
    pinned.refresh()
    if pinned.snapshot_id != table.snapshot_id:
        raise CommitConflict(table.name)  # and it may have been this batch that was committed
    wanted = rows if contract.identity is None else _with_other_ages(rows, contract, contract.identity, mode)
    found = plan_changes(wanted, pinned.read(), contract, mode)
    if confirmations and mode is MergeMode.UPSERT:
        found = _leave_confirmed(found, contract, confirmations, table)
    found.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        changes, splits = found, None
        if contract.identity:
            changes, splits = found.where(F.col(_WHOSE).isNull()), _find_splits(found)
        merged = _tell(changes, splits, contract)
        if confirmations:
            left = F.lit(mode is MergeMode.UPSERT) & ~F.col(_ACTION).isin(*_WRITES)
            write_confirmed(changes.where(left), _compared(contract), confirmations)
        if merged.committed:
            writes = changes.where(F.col(_ACTION).isin(*_WRITES))
            matches = dict(zip(contract.key, _raw_keys(contract), strict=True))
            summary = {**marks, COUNTS: merged.to_json()}
            pinned.merge(writes, matches, [*contract.column_names, *LINEAGE_COLUMNS], summary)
            table.refresh()
        else:
            table.record(marks)
    finally:
        found.unpersist()
    return replace(merged, snapshot_id=table.snapshot_id)


def plan_changes(rows: DataFrame, existing: DataFrame, contract: Contract, mode: MergeMode) -> DataFrame:
    """Each of `rows` with its _action and, unless it is new, its key as the table has it (_t0, …).

    The rules are those of etl.steps.merge.plan_merge. `existing` is the whole table.
    """
    found = rows.join(_table_keys(existing, contract), key_columns(contract), "left")
    is_new = F.col(_raw_keys(contract)[0]).isNull()
    is_same = F.coalesce(F.col("_row_hash") == F.col("_t_hash"), F.lit(False))
    is_newer = (F.col("_t_batch_date") > F.col("_batch_date")) | (
        (F.col("_t_batch_date") == F.col("_batch_date")) & (F.col("_t_landed_at") > F.col("_landed_at"))
    )
    is_upsert = mode is MergeMode.UPSERT
    is_kept = F.coalesce(is_newer, F.lit(False)) if is_upsert else F.lit(True)
    action = (
        F.when(is_new, "insert")
        .when(is_same, "unchanged" if is_upsert else "skipped")
        .when(is_kept, "conflict")
        .otherwise("update")
    )
    return found.withColumn(_ACTION, action)


def _leave_confirmed(
    found: DataFrame, contract: Contract, confirmations: BatchConfirmations, table: IcebergTable
) -> DataFrame:
    """`found` in which updates of what newer batches confirmed are conflicts."""
    updates = found.where(F.col(_ACTION) == "update").where(F.col(POSITION).isNotNull())
    confirmed = find_confirmed(updates, _compared(contract), confirmations, table.batch_ids)
    if confirmed is None:
        return found
    action = F.when(F.col(_CONFIRMED), "conflict").otherwise(F.col(_ACTION))
    marked = found.join(confirmed.withColumn(_CONFIRMED, F.lit(True)), POSITION, "left")
    return marked.withColumn(_ACTION, action).drop(_CONFIRMED)


def _compared(contract: Contract) -> pa.Schema:
    """The columns of the key as it compares."""
    types = {column.name: column.arrow_type for column in contract.columns}
    return pa.schema([*zip(key_columns(contract), (types[name] for name in contract.key), strict=True)])


def _table_keys(existing: DataFrame, contract: Contract) -> DataFrame:
    """Of each row of the table: its key as it compares, as it stands, and what decides on overwriting it."""
    types = {column.name: column.arrow_type for column in contract.columns}
    keys = [types[name] for name in contract.key]
    decisive = [("_row_hash", pa.string()), ("_batch_date", pa.date32()), ("_landed_at", pa.timestamp("us"))]
    read = pa.schema([*zip(contract.key, keys, strict=True), *decisive])
    schema = pa.schema(
        [
            *zip(key_columns(contract), keys, strict=True),
            *zip(_raw_keys(contract), keys, strict=True),
            *((_OF_TABLE[name], type_) for name, type_ in decisive),
        ]
    )

    def to_keys(batches: Batches) -> Iterator[pa.Table]:
        for batch in batches:
            rows = pa.table(batch.columns, schema=read)
            yield pa.table([*normalise_key(rows, contract.key).columns, *rows.columns], schema=schema)

    return map_batches(existing.select(*read.names), to_keys, schema)


def _raw_keys(contract: Contract) -> list[str]:
    return [f"_t{i}" for i in range(len(contract.key))]


def _with_other_ages(rows: DataFrame, contract: Contract, identity: Identity, mode: MergeMode) -> DataFrame:
    """`rows`, and rows with nothing but a key that one of them, _whose, may be in the table by.

    As etl.steps.identity.find_other_ages tells.
    """
    keys = key_columns(contract)
    aging = keys[list(contract.key).index(identity.aging_column)]
    steps = (-identity.step,) if mode is MergeMode.UPSERT else (-identity.step, identity.step)
    own = rows.select(*keys, F.col(POSITION).alias(_WHOSE))
    aged = [own.withColumn(aging, (F.col(aging) + step).cast(rows.schema[aging].dataType)) for step in steps]
    others = reduce(DataFrame.union, aged).join(rows.select(*keys), keys, "left_anti")
    return rows.unionByName(others, allowMissingColumns=True)


def _find_splits(found: DataFrame) -> DataFrame:
    """The rows to insert that the table has by another age."""
    is_probe = F.col(_WHOSE).isNotNull()
    known = found.where(is_probe & (F.col(_ACTION) != "insert")).select(F.col(_WHOSE).alias(POSITION))
    return found.where(~is_probe & (F.col(_ACTION) == "insert")).join(known, POSITION, "left_semi")


def _tell(changes: DataFrame, splits: DataFrame | None, contract: Contract) -> Merged:
    """What the changes will have done."""
    rows = _count(changes, contract)
    conflicts, split = rows.get("conflict", 0), splits.count() if splits else 0
    return Merged(
        inserted=rows.get("insert", 0),
        updated=rows.get("update", 0),
        unchanged=rows.get("unchanged", 0),
        skipped=rows.get("skipped", 0) + conflicts,
        conflicts=conflicts,
        splits=split,
        conflict_keys=first_keys(changes.where(F.col(_ACTION) == "conflict"), contract)
        if conflicts
        else None,
        split_keys=first_keys(splits, contract) if split else None,
    )


def _count(changes: DataFrame, contract: Contract) -> dict[str, int]:
    """Rows by action. Raises KeyNotUnique when a key of the batch stands in the table more than once."""
    by_key = changes.groupBy(*key_columns(contract)).agg(
        F.count("*").alias("times"), F.first(_ACTION).alias(_ACTION)
    )
    counted = by_key.groupBy(_ACTION).agg(F.count("*"), F.count_if(F.col("times") > 1)).collect()
    if twice := sum(times for _, _, times in counted):
        raise KeyNotUnique("the table", twice)
    return {action: rows for action, rows, _ in counted}
