"""Batch + keys of the table → what to insert, what to update, what to leave alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import numpy as np
import pyarrow as pa

from etl.batch import Batch, MergeMode
from etl.contract import LINEAGE_COLUMNS
from etl.errors import KeyNotUnique
from etl.key import Key
from etl.steps.keys import key_names, normalise_key


@dataclass(frozen=True, slots=True)
class FileUpdate:
    """Of one data file: positions of the rows to replace, ascending, and of the batch's rows to put there."""

    positions: np.ndarray
    replacing: np.ndarray


@dataclass(frozen=True, slots=True)
class MergePlan:
    """The change that a batch's `rows` make. All arrays are int64 positions.

    `inserted` and `conflicting` are among `rows`, ascending; `conflicting` are the skipped rows whose values
    differ from the table's. `updates` is by the file numbers of the key rows it was planned on.
    `probes_found` are the probes whose key is in the table, ascending.
    """

    rows: pa.Table
    inserted: np.ndarray
    updates: Mapping[int, FileUpdate]
    unchanged: int
    skipped: int
    conflicting: np.ndarray
    probes_found: np.ndarray

    @property
    def updated(self) -> int:
        return sum(len(update.positions) for update in self.updates.values())

    @property
    def conflicts(self) -> int:
        return len(self.conflicting)

    @property
    def is_empty(self) -> bool:
        return not len(self.inserted) and not self.updates


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


@dataclass(frozen=True, slots=True)
class WantedKeys:
    """What a merge looks for in a table: the keys of a batch's rows and, behind them, of probes.

    `keys` are as they compare (etl.steps.keys.normalise_key).
    """

    key: Key
    batch_rows: pa.Table
    keys: pa.Table

    @property
    def batch_keys(self) -> pa.Table:
        return self.keys.slice(0, self.batch_rows.num_rows)


def wanted_keys(batch_rows: pa.Table, key: Key, probes: pa.Table | None = None) -> WantedKeys:
    """`batch_rows` are deduplicated and have lineage; of `probes` only the key columns count."""
    batch_rows = batch_rows.combine_chunks()  # rows are taken from it file by file
    keys = normalise_key(batch_rows, key)
    if probes is not None:
        keys = pa.concat_tables([keys, normalise_key(probes, key)])
    return WantedKeys(key, batch_rows, keys)


def key_row_columns(key: Key) -> tuple[str, ...]:
    """The table's columns that plan_merge compares."""
    return (*key, "_row_hash", "_batch_date", "_landed_at")


def to_key_rows(rows: pa.Table, key: Key, file_number: int, first_row: int = 0) -> pa.Table:
    """Rows of one data file from `first_row` on, with key_row_columns, as plan_merge wants them."""
    keys = normalise_key(rows, key)
    keys = keys.append_column("hash", rows["_row_hash"].cast(pa.string()))
    keys = keys.append_column("batch_date", rows["_batch_date"])
    keys = keys.append_column("landed_at", rows["_landed_at"])
    keys = keys.append_column("file", pa.array(np.full(rows.num_rows, file_number, np.int64)))
    return keys.append_column("row", pa.array(np.arange(first_row, first_row + rows.num_rows)))


def plan_merge(wanted: WantedKeys, key_rows: pa.Table | pa.RecordBatchReader, mode: MergeMode) -> MergePlan:
    """Plan the merge of a batch into a table whose rows with a wanted key are among `key_rows`.

    A row that a newer batch wrote is never overwritten by an older one; of two batches for one date, the one
    whose file landed later is newer. Of the probes the plan says which are in the table, and nothing else.
    Raises KeyNotUnique when a key of the batch stands in the table more than once.
    """
    batch_rows = wanted.batch_rows
    found = _find(wanted, key_rows)
    is_probe = found["position"].to_numpy() >= batch_rows.num_rows
    probes_found = np.unique(found["position"].to_numpy()[is_probe]) - batch_rows.num_rows
    found = found.filter(pa.array(~is_probe))
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
        rows=batch_rows,
        inserted=np.flatnonzero(is_new),
        updates=_updates(found.filter(pa.array(is_updated))),
        unchanged=int(unchanged.sum()),
        skipped=int((~unchanged & ~is_updated).sum()),
        conflicting=np.sort(position[~is_same & is_kept]),
        probes_found=probes_found,
    )


def _find(wanted: WantedKeys, key_rows: pa.Table | pa.RecordBatchReader) -> pa.Table:
    """Where each wanted key stands, and how its row there compares; ordered by file and row."""
    compared = wanted.batch_rows.select(["_row_hash", "_batch_date", "_landed_at"])
    if probes := wanted.keys.num_rows - compared.num_rows:
        nothing = [pa.nulls(probes, field.type) for field in compared.schema]
        compared = pa.concat_tables([compared, pa.table(nothing, schema=compared.schema)])
    keys = wanted.keys.append_column("position", pa.array(np.arange(wanted.keys.num_rows)))
    for name, column in zip(("hash", "batch_date", "landed_at"), compared.columns, strict=True):
        keys = keys.append_column(name, column)
    with duckdb.connect() as connection:
        # DuckDB cannot tell how long a stream is, and shall hold the batch in memory, never the table.
        connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
        connection.register("wanted", keys)
        connection.register("existing", key_rows)
        return connection.sql(
            f"""SELECT position, file, "row",
                       coalesce(wanted.hash = existing.hash, false) AS is_same,
                       coalesce((existing.batch_date, existing.landed_at)
                                > (wanted.batch_date, wanted.landed_at), false) AS is_newer
                FROM existing JOIN wanted USING ({", ".join(key_names(wanted.key))})
                ORDER BY file, "row" """
        ).to_arrow_table()


def _updates(found: pa.Table) -> dict[int, FileUpdate]:
    """`found`: position, file and row of each row to update, ordered by file and row."""
    file, row, position = (found[name].to_numpy() for name in ("file", "row", "position"))
    files, starts = np.unique(file, return_index=True)
    ends = np.append(starts, len(file))[1:]
    return {
        int(number): FileUpdate(row[start:end], position[start:end])
        for number, start, end in zip(files, starts, ends, strict=True)
    }
