"""The rows of the merge's benchmark, as Parquet files in a folder that every program starts from.

The table is what ten merges have left: ten files of employees, each with the lineage columns that every
processed table has, and each with the people of some years. The key is (hire_date, first_name, last_name), so
that a batch of a few days is in one file, and can be told to be by its bounds: as it is with orders, events
or whatever else has a date or a running number in its key. Of a batch's rows 60 % are in the table with
another salary, 20 % are in it as they are, and 20 % are new.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etl.batch import Batch
from etl.key import Key
from etl.steps.keys import hash_rows
from etl.steps.merge import add_lineage
from scripts.sample_people import COLUMNS, people_in_blocks

KEY = Key(("hire_date", "first_name", "last_name"))
FILES = 10
_ON = date(2026, 11, 24)
_FIRST_DAY, _DAYS = np.datetime64("2007-01-01"), 7_000
_SEED = 7
_IN_TABLE, _CHANGED = 0.8, 0.75  # of a batch; and of those


def make_rows(folder: Path, rows: int) -> None:
    """table-0.parquet to table-9.parquet of `rows` in all, and two batches.

    recent.parquet has 1 % as many rows, of the last days; spread.parquet 20 %, of all days.
    """
    per_file, extra = rows // FILES, rows // 25
    recent: pa.Table | None = None
    spread: list[pa.Table] = []
    parts = _in_parts(rows + extra, per_file)
    for number in range(FILES):
        first = number * per_file
        part = _hired(next(parts), (np.arange(first, first + per_file) * _DAYS) // rows)
        _write(part, a_table_batch(number), folder / f"table-{number}.parquet")
        spread.append(part.take(pa.array(np.arange(0, per_file, 6))))
        recent = part.slice(per_file - int(_IN_TABLE * rows / 100))
    new = pa.concat_tables(parts)
    few = rows // 100 - recent.num_rows
    last_days = recent["hire_date"].to_numpy()[np.arange(few) % recent.num_rows]
    _write(_batch(recent, _on_days(new.slice(0, few), last_days)), a_batch("v1"), folder / "recent.parquet")
    old = pa.concat_tables(spread).slice(0, int(_IN_TABLE * rows / 5))
    many = new.slice(0, rows // 5 - old.num_rows)
    new_rows = _hired(many, np.arange(many.num_rows) * _DAYS // max(many.num_rows, 1))
    _write(_batch(old, new_rows), a_batch("v2"), folder / "spread.parquet")


def a_table_batch(number: int) -> Batch:
    return a_batch(f"t{number}", _ON - timedelta(days=100 - number))


def a_batch(version: str, on: date = _ON) -> Batch:
    key = f"employee/dt={on}/employees.csv"
    landed_at = datetime(on.year, on.month, on.day, 3, tzinfo=UTC)
    return Batch("employee", on, "raw", key, version, "d41d8cd98f00b204e9800998ecf8427e", 1, landed_at)


def _in_parts(rows: int, size: int) -> Iterator[pa.Table]:
    """People, `size` at a time; the last part has what is left."""
    held: list[pa.Table] = []
    for block in people_in_blocks(rows, _ON, _SEED):
        held.append(block)
        while sum(part.num_rows for part in held) >= size:
            joined = pa.concat_tables(held)
            held = [joined.slice(size)]
            yield joined.slice(0, size).combine_chunks()
    yield pa.concat_tables(held).combine_chunks()


def _hired(rows: pa.Table, days: np.ndarray) -> pa.Table:
    return _on_days(rows, _FIRST_DAY + days.astype("timedelta64[D]"))


def _on_days(rows: pa.Table, days: np.ndarray) -> pa.Table:
    column = pa.array(days.astype("datetime64[D]")).cast(pa.date32())
    return rows.set_column(COLUMNS.index("hire_date"), "hire_date", column)


def _batch(known: pa.Table, new: pa.Table) -> pa.Table:
    is_changed = np.arange(known.num_rows) % 100 < 100 * _CHANGED
    raised = pc.if_else(pa.array(is_changed), pc.add(known["salary"], 10), known["salary"])
    return pa.concat_tables([known.set_column(COLUMNS.index("salary"), "salary", raised), new])


def _write(rows: pa.Table, batch: Batch, path: Path) -> None:
    rows = add_lineage(rows, hash_rows(rows, COLUMNS), batch, f"wr_{batch.version_id}", batch.landed_at)
    pq.write_table(rows, path, compression="zstd")
