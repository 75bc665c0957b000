"""Batch + keys of the table → what to insert, what to update, what to leave alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import numpy as np
import pyarrow as pa

from etl.batch import Batch, MergeMode
from etl.contract import LINEAGE_COLUMNS
from etl.errors import KeyNotUnique
from etl.steps.keys import key_names, normalise_key


@dataclass(frozen=True, slots=True)
class FileUpdate:
    """Of one data file: positions (int64, ascending) of the rows to replace, and what replaces them."""

    positions: np.ndarray
    rows: pa.Table


@dataclass(frozen=True, slots=True)
class MergePlan:
    """The change one batch makes. `updates` is by the file numbers of the key rows it was planned on.

    `conflicts` counts the skipped rows whose values differ from the table's.
    """

    inserts: pa.Table
    updates: Mapping[int, FileUpdate]
    unchanged: int
    skipped: int
    conflicts: int

    @property
    def updated(self) -> int:
        return sum(len(update.positions) for update in self.updates.values())

    @property
    def is_empty(self) -> bool:
        return self.inserts.num_rows == 0 and not self.updates


def add_lineage(
    rows: pa.Table, hashes: pa.ChunkedArray, batch: Batch, run_id: str, now: datetime
) -> pa.Table:
    """`rows` with the columns of expectations/lineage.yaml behind them."""
    timestamp = pa.timestamp("us")
    values = (
        pa.repeat(pa.scalar(batch.batch_date, pa.date32()), rows.num_rows),
        pa.repeat(pa.scalar(_naive_utc(batch.landed_at), timestamp), rows.num_rows),
        pa.repeat(batch.batch_id, rows.num_rows),
        pa.repeat(batch.version_id, rows.num_rows),
        pa.repeat(run_id, rows.num_rows),
        pa.repeat(pa.scalar(_naive_utc(now), timestamp), rows.num_rows),
        hashes,
    )
    for name, column in zip(LINEAGE_COLUMNS, values, strict=True):
        rows = rows.append_column(name, column)
    return rows


def _naive_utc(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(tzinfo=None)


def key_row_columns(key: Sequence[str]) -> tuple[str, ...]:
    """The table's columns that plan_merge compares."""
    return (*key, "_row_hash", "_batch_date", "_landed_at")


def to_key_rows(rows: pa.Table, key: Sequence[str], file_number: int) -> pa.Table:
    """`rows` of one data file, in its order and with key_row_columns, as plan_merge wants them."""
    keys = normalise_key(rows, key)
    keys = keys.append_column("hash", rows["_row_hash"].cast(pa.string()))
    keys = keys.append_column("batch_date", rows["_batch_date"])
    keys = keys.append_column("landed_at", rows["_landed_at"])
    keys = keys.append_column("file", pa.array(np.full(rows.num_rows, file_number, np.int64)))
    return keys.append_column("row", pa.array(np.arange(rows.num_rows)))


def plan_merge(
    batch_rows: pa.Table, key_rows: pa.Table | pa.RecordBatchReader, key: Sequence[str], mode: MergeMode
) -> MergePlan:
    """Plan the merge of deduplicated rows with lineage into a table that holds `key_rows`.

    A row that a newer batch wrote is never overwritten by an older one; of two batches for one date, the one
    whose file landed later is newer. Raises KeyNotUnique when a key of the batch stands in the table more
    than once.
    """
    compared = normalise_key(batch_rows, key)
    compared = compared.append_column("hash", batch_rows["_row_hash"])
    compared = compared.append_column("batch_date", batch_rows["_batch_date"])
    compared = compared.append_column("landed_at", batch_rows["_landed_at"])
    compared = compared.append_column("position", pa.array(np.arange(batch_rows.num_rows)))
    with duckdb.connect() as connection:
        connection.register("batch", compared)
        connection.register("existing", key_rows)
        found = connection.sql(
            f"""SELECT position, file, "row",
                       coalesce(batch.hash = existing.hash, false) AS is_same,
                       coalesce((existing.batch_date, existing.landed_at)
                                > (batch.batch_date, batch.landed_at), false) AS is_newer
                FROM existing JOIN batch USING ({", ".join(key_names(key))})
                ORDER BY file, "row" """
        ).to_arrow_table()
    position = found["position"].to_numpy()
    if len(twice := np.flatnonzero(np.bincount(position) > 1)):
        raise KeyNotUnique("the table", len(twice))
    is_same = found["is_same"].to_numpy()
    is_kept = found["is_newer"].to_numpy() if mode is MergeMode.UPSERT else np.ones(len(position), bool)
    is_updated = ~is_same & ~is_kept
    is_new = np.ones(batch_rows.num_rows, bool)
    is_new[position] = False
    unchanged = is_same if mode is MergeMode.UPSERT else np.zeros(len(position), bool)
    return MergePlan(
        inserts=batch_rows.filter(pa.array(is_new)),
        updates=_updates(batch_rows, found.filter(pa.array(is_updated))),
        unchanged=int(unchanged.sum()),
        skipped=int((~unchanged & ~is_updated).sum()),
        conflicts=int((~is_same & is_kept).sum()),
    )


def _updates(batch_rows: pa.Table, found: pa.Table) -> dict[int, FileUpdate]:
    """`found`: position, file and row of each row to update, ordered by file and row."""
    file = found["file"].to_numpy()
    updates = {}
    for number in np.unique(file):
        mine = found.filter(pa.array(file == number))
        updates[int(number)] = FileUpdate(mine["row"].to_numpy(), batch_rows.take(mine["position"]))
    return updates
