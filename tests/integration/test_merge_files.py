"""Which data files a merge reads and writes, and how."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from builders import TODAY, a_batch, some_employees, the_employee_contract, with_lineage
from lakes import ALake, the_catalog
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table import FileScanTask

from etl.batch import Batch, MergeMode
from etl.tables import files
from etl.tables.table import BATCH_ID
from etl.tables.writing import merge_batch

pytestmark = pytest.mark.slow

KEY = the_employee_contract().key
SECOND, THIRD = a_batch(version_id="v2"), a_batch(TODAY, "v3")


def of_age(*ages: int, batch: Batch, salary: int = 1) -> pa.Table:
    return with_lineage(some_employees(*(("Ann", "A", age, salary) for age in ages)), batch)


def merge(lake: ALake, rows: pa.Table, batch: Batch, mode: MergeMode = MergeMode.UPSERT) -> None:
    merge_batch(lake.table(), rows, {BATCH_ID: batch.batch_id}, KEY, mode)


def salaries(rows: pa.Table) -> dict[int, int]:
    return dict(zip(rows["age"].to_pylist(), rows["salary"].to_pylist(), strict=True))


def a_file(lake: ALake, key: str) -> pq.ParquetFile:
    body = lake.client("s3").get_object(Bucket=lake.bucket("processed"), Key=key)["Body"].read()
    return pq.ParquetFile(pa.BufferReader(body))


@pytest.mark.parametrize("mode", MergeMode)
def test_a_file_that_can_hold_no_key_of_the_batch_is_not_read(lake: ALake, mode: MergeMode):
    """The merge does not need it at all, while one with a key that it may hold does."""
    merge(lake, of_age(20, 29, batch=a_batch()), a_batch())
    young = lake.live_files()
    merge(lake, of_age(60, 69, batch=SECOND), SECOND)
    lake.client("s3").delete_object(Bucket=lake.bucket("processed"), Key=young[0])
    merge(lake, of_age(60, 64, 70, batch=THIRD, salary=2), THIRD, mode)

    assert set(young) < set(lake.live_files())
    with pytest.raises(duckdb.Error, match="Path does not exist"):
        merge(lake, of_age(25, batch=a_batch(version_id="v4")), a_batch(version_id="v4"), mode)


def test_a_row_group_that_can_hold_no_key_of_the_batch_is_not_read(
    lake: ALake, monkeypatch: pytest.MonkeyPatch
):
    """Nobody notices that it is damaged, until a key comes that it may hold."""
    monkeypatch.setattr(files, "_ROWS_AT_ONCE", 3)
    monkeypatch.setattr(files, "_GROUP_ROWS", 3)
    merge(lake, of_age(*range(20, 30), batch=a_batch()), a_batch())
    [key] = lake.live_files()
    place = {"Bucket": lake.bucket("processed"), "Key": key}
    body = bytearray(lake.client("s3").get_object(**place)["Body"].read())
    end = a_file(lake, key).metadata.row_group(1).column(0).dictionary_page_offset
    body[4:end] = bytes(end - 4)
    lake.client("s3").put_object(**place, Body=bytes(body))
    merge(lake, of_age(24, 28, 30, batch=SECOND, salary=2), SECOND, MergeMode.INSERT_ONLY)

    assert len(lake.live_files()) == 2
    with pytest.raises(duckdb.Error):
        merge(lake, of_age(22, batch=THIRD), THIRD, MergeMode.INSERT_ONLY)


def test_a_file_that_is_read_but_holds_no_changed_row_stays(lake: ALake):
    """Bounds that leave a key possible cost a look, not a rewrite."""
    merge(lake, of_age(20, 40, batch=a_batch(), salary=7), a_batch())
    before = lake.live_files()
    merge(lake, of_age(20, batch=SECOND, salary=7), SECOND)
    merge(lake, of_age(30, 40, batch=THIRD, salary=7), THIRD)

    assert set(before) < set(lake.live_files())
    assert salaries(lake.rows()) == {20: 7, 30: 7, 40: 7}


def test_a_file_is_rewritten_group_by_group(lake: ALake, monkeypatch: pytest.MonkeyPatch):
    """Each row stays in its row group, changed or not, so that memory does not grow with the file."""
    monkeypatch.setattr(files, "_ROWS_AT_ONCE", 3)
    monkeypatch.setattr(files, "_GROUP_ROWS", 3)
    merge(lake, of_age(*range(20, 30), batch=a_batch()), a_batch())
    merge(lake, of_age(29, 21, 25, 20, batch=SECOND, salary=9), SECOND)
    [rewritten] = lake.live_files()
    file = a_file(lake, rewritten)
    groups = [sorted(file.read_row_group(n)["age"].to_pylist()) for n in range(file.num_row_groups)]

    assert groups == [[20, 21, 22], [23, 24, 25], [26, 27, 28], [29]]
    assert salaries(lake.rows()) == dict.fromkeys(range(20, 30), 1) | dict.fromkeys((20, 21, 25, 29), 9)


def test_inserts_go_to_files_of_the_target_size(lake: ALake):
    """The table's property says how large a file gets, measured on the rows unpacked."""
    rows = of_age(*range(20, 30), batch=a_batch())
    table = the_catalog(lake.state.endpoint).load_table((lake.database("processed"), "employee"))
    with table.transaction() as transaction:
        transaction.set_properties({"write.target-file-size-bytes": str(rows.nbytes // 3 + 1)})
    merge(lake, rows, a_batch())

    assert sorted(a_file(lake, key).metadata.num_rows for key in lake.live_files()) == [3, 3, 4]
    assert sorted(lake.rows()["age"].to_pylist()) == list(range(20, 30))


def test_what_is_written_can_be_told_from_its_bounds(lake: ALake):
    """A rewritten file's bounds are of the rows that it holds now."""
    merge(lake, of_age(20, 29, batch=a_batch()), a_batch())
    merge(lake, of_age(20, batch=SECOND, salary=5), SECOND)
    table = the_catalog(lake.state.endpoint).load_table((lake.database("processed"), "employee"))
    metrics = table.inspect.files()["readable_metrics"].to_pylist()

    assert [(m["age"]["lower_bound"], m["age"]["upper_bound"]) for m in metrics] == [(20, 29)]
    assert [(m["salary"]["lower_bound"], m["salary"]["upper_bound"]) for m in metrics] == [(1, 5)]


def test_a_rewritten_file_is_read_beside_new_ones(lake: ALake):
    """Text that repeats, which a rewriting reads as dictionaries, is stored as in any other file."""
    merge(lake, of_age(*range(200), batch=a_batch()), a_batch())
    merge(lake, of_age(7, batch=SECOND, salary=2), SECOND)
    merge(lake, of_age(*range(200, 400), batch=THIRD), THIRD)

    assert len(lake.live_files()) == 2
    assert salaries(lake.rows()) == {age: 2 if age == 7 else 1 for age in range(400)}


def test_rows_that_another_writer_deleted_stay_deleted(lake: ALake, monkeypatch: pytest.MonkeyPatch):
    """Others may put positions into a delete file instead of rewriting; rows are counted without those."""
    monkeypatch.setattr(files, "_ROWS_AT_ONCE", 4)
    monkeypatch.setattr(files, "_GROUP_ROWS", 4)
    merge(lake, of_age(*range(20, 30), batch=a_batch()), a_batch())
    table = the_catalog(lake.state.endpoint).load_table((lake.database("processed"), "employee"))
    [task] = table.scan().plan_files()
    deleted = pa.table({"file_path": [task.file.file_path] * 2, "pos": pa.array([1, 8], pa.int64())})
    place = task.file.file_path + "-deletes.parquet"
    with table.io.new_output(place).create() as out:
        pq.write_table(deleted, out)
    delete_file = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES, file_path=place, file_format=FileFormat.PARQUET
    )
    task = FileScanTask(task.file, delete_files={delete_file})
    data_files = files.DataFiles(table)
    parts = list(data_files.read_wanted(task, ["age"]))
    written = data_files.rewrite(task, np.array([1, 6]), of_age(22, 27, batch=SECOND, salary=5))

    assert [start for start, _ in parts] == [0, 3, 7]
    assert [age for _, part in parts for age in part["age"].to_pylist()] == [20, *range(22, 28), 29]
    rewritten = a_file(lake, written.file_path.split("/", 3)[3]).read()
    assert salaries(rewritten) == {20: 1, 22: 5, 23: 1, 24: 1, 25: 1, 26: 1, 27: 5, 29: 1}
