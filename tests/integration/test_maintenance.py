"""Maintenance of real Iceberg tables: alone, beside writers, and killed on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from builders import (
    a_batch,
    an_employee_batch,
    the_employee_contract,
    the_lineage_columns,
    the_quarantine_columns,
)
from lakes import ALake, the_catalog
from pyiceberg.table import Transaction

from etl.aws.table_files import S3TableFiles
from etl.batch import MergeMode
from etl.errors import MaintenanceUnsound
from etl.maintenance import maintain_table, run_maintenance
from etl.maintenance_report import TableMaintained
from etl.merged import Merged
from etl.tables.maintenance import StoredFile, Upkeep
from etl.tables.maintenance_iceberg import MaintainedTable
from etl.tables.table import BATCH_ID, RUN_ID, STAGED_SHA256
from etl.tables.writing import merge_batch
from etl.tables.writing import set_aside as set_aside_again

pytestmark = pytest.mark.slow

KEY = the_employee_contract().key
NOW = datetime.now(UTC)
IN_A_MONTH = NOW + timedelta(days=30)
UPKEEP = Upkeep(
    target_bytes=128 * 2**20,
    min_files=2,
    keep_snapshots=timedelta(days=7),
    keep_snapshots_at_least=1,
    orphan_age=timedelta(hours=72),
)


def a_landed_batch(number: int) -> tuple[pa.Table, dict[str, str]]:
    """Two people of its own, and the marks of its commit."""
    batch = a_batch(version_id=f"v{number}")
    marks = {BATCH_ID: batch.batch_id, STAGED_SHA256: "0" * 64, RUN_ID: f"first of {number}"}
    return an_employee_batch(2, batch, salary=number, first=2 * number), marks


def land(lake: ALake, number: int) -> Merged:
    rows, marks = a_landed_batch(number)
    return merge_batch(lake.table(), rows, marks | {RUN_ID: f"again {number}"}, KEY, MergeMode.UPSERT)


def seed(lake: ALake, batches: int) -> None:
    """Batches 1, 2, … with a snapshot and a data file each; their marks are in the snapshots alone."""
    table = the_catalog(lake.state.endpoint).load_table((lake.database("processed"), "employee"))
    with table.transaction() as transaction:
        for number in range(1, batches + 1):
            rows, marks = a_landed_batch(number)
            transaction.append(rows, snapshot_properties=marks)


def maintained(lake: ALake, zone: str = "processed") -> MaintainedTable:
    return MaintainedTable(the_catalog(lake.state.endpoint), (lake.database(zone), "employee"))


def maintain(lake: ALake, now: datetime = NOW, **changes: Any) -> TableMaintained:
    return maintain_table(maintained(lake), S3TableFiles(), replace(UPKEEP, **changes), now)


def rows_of(lake: ALake, snapshot_id: int | None = None) -> list[str]:
    """All rows as a reader of that snapshot, or of the current one, sees them."""
    table = the_catalog(lake.state.endpoint).load_table((lake.database("processed"), "employee"))
    return sorted(map(repr, table.scan(snapshot_id=snapshot_id).to_arrow().to_pylist()))


def put(lake: ALake, key: str) -> str:
    lake.client("s3").put_object(Bucket=lake.bucket("processed"), Key=f"warehouse/{key}", Body=b"x")
    return f"warehouse/{key}"


def test_small_files_become_one(lake: ALake):
    """Files are joined in one commit; rows and their lineage stay, and so does every earlier snapshot."""
    seed(lake, 3)
    before, read_by_somebody = rows_of(lake), int(lake.table().snapshot_id)
    done = maintain(lake)

    assert rows_of(lake) == rows_of(lake, read_by_somebody) == before
    assert len(lake.live_files()) == 1
    assert (done.files_joined, done.files_written, done.compactions, done.gave_way) == (3, 1, 1, False)
    assert (done.before.data_files, done.after.data_files, done.after.rows) == (3, 1, 6)
    assert (done.snapshots_expired, done.orphans_removed, lake.snapshots()) == (0, 0, 4)
    assert maintain(lake).compactions == 0, "one file is not joined with nothing, again and again"


def test_what_is_old_goes_and_the_batches_stay_known(lake: ALake):
    """Old snapshots go, then the files only they named; a batch whose snapshot went is still a no-op."""
    seed(lake, 3)
    before = rows_of(lake)
    done = maintain(lake, IN_A_MONTH)

    assert rows_of(lake) == before
    assert (done.snapshots_expired, lake.snapshots()) == (3, 1)
    assert lake.data_files() == lake.live_files()
    assert done.orphans_removed >= 3 + 3, "data files and manifest lists"
    assert done.bytes_freed > 0
    assert land(lake, 2).already_committed
    assert maintain(lake, IN_A_MONTH).orphans_removed == 0


def test_a_snapshot_that_was_the_table_lately_is_kept(lake: ALake):
    """However old a snapshot is, who began to read it just before it was replaced can read on for days."""
    seed(lake, 2)
    replaced_just_now = int(lake.table().snapshot_id)
    done = maintain(lake, NOW + timedelta(days=6), orphan_age=timedelta(0))

    assert done.snapshots_expired == 0
    assert len(rows_of(lake, replaced_just_now)) == 4


def test_only_old_files_of_this_table_are_orphans(lake: ALake):
    """What a running writer may still commit is left alone, and so is what belongs to another table."""
    seed(lake, 1)
    stray, of_another = put(lake, "employee/data/stray.parquet"), put(lake, "employee_history/data/x.parquet")
    kept, removed = maintain(lake, NOW + timedelta(hours=71)), maintain(lake, NOW + timedelta(hours=73))

    assert (kept.orphans_removed, removed.orphans_removed, removed.bytes_freed) == (0, 1, 1)
    assert stray not in lake.keys("processed")
    assert of_another in lake.keys("processed")
    assert len(rows_of(lake)) == 2


def test_a_listing_that_is_not_of_this_table_deletes_nothing(lake: ALake):
    """When none of the table's files is where it says they are, nothing can be told from an orphan."""
    seed(lake, 1)

    class Elsewhere(S3TableFiles):
        def list(self, location: str) -> Any:
            yield StoredFile(f"{location}/data/a.parquet", 1, NOW - timedelta(days=99))

    with pytest.raises(MaintenanceUnsound):
        maintain_table(maintained(lake), Elsewhere(), UPKEEP, NOW)


def test_a_table_that_was_made_anew_does_not_delete_its_past(lake: ALake):
    """Files of a table that was dropped, by mistake perhaps, are left for people to decide about."""
    seed(lake, 2)
    past = lake.keys("processed", "warehouse/")
    lake.drop_table("processed")
    lake.create_table("processed", (*the_employee_contract().columns, *the_lineage_columns()))

    with pytest.raises(MaintenanceUnsound, match="files of another table"):
        maintain(lake, IN_A_MONTH)
    assert set(past) < set(lake.keys("processed", "warehouse/"))


def before_each_commit(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], Any]) -> list[int]:
    """Do something between a plan of ours and its commit; what it does may commit itself."""
    calls: list[int] = []
    commit = Transaction.commit_transaction

    def commit_after_it(transaction: Transaction) -> Any:
        if not calls or calls[-1] >= 0:
            calls.append(-1)  # commits of what is done here are not ours
            act(len(calls))
            calls[-1] = len(calls)
        return commit(transaction)

    monkeypatch.setattr(Transaction, "commit_transaction", commit_after_it)
    return calls


def test_a_writer_that_comes_first_is_not_lost(lake: ALake, monkeypatch: pytest.MonkeyPatch):
    """A merge between plan and commit makes the joining plan itself anew; all rows of both are there."""
    seed(lake, 2)
    before_each_commit(monkeypatch, lambda calls: land(lake, 3) if calls == 1 else None)
    done = maintain(lake)

    assert len(rows_of(lake)) == 6
    assert (done.files_joined, done.gave_way, len(lake.live_files())) == (3, False, 1)
    assert lake.data_files() != lake.live_files(), "files of snapshots that are kept"


def test_writers_who_keep_coming_are_given_way(lake: ALake, monkeypatch: pytest.MonkeyPatch):
    """After a few lost commits the files are left for the next run; no merge fails, no file of ours stays."""
    seed(lake, 2)
    before_each_commit(monkeypatch, lambda calls: land(lake, 10 + calls))
    done = maintain(lake)

    assert (done.gave_way, done.files_joined, done.compactions) == (True, 0, 0)
    assert len(rows_of(lake)) == 2 * len(lake.live_files()) == 2 * 5
    assert sorted(lake.data_files()) == lake.live_files()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_maintenance_beside_merges(lake: ALake):
    """Whatever merges run while files are joined and snapshots expire, each counts once and stays known."""
    seed(lake, 3)
    batches = range(10, 14)

    with ThreadPoolExecutor(2) as pool:
        writing = [pool.submit(land, lake, number) for number in batches]
        rounds = 0
        while rounds < 3 or not all(future.done() for future in writing):
            maintain(lake, datetime.now(UTC), keep_snapshots=timedelta(0))
            rounds += 1
        merged = [future.result() for future in writing]
    for _ in range(2):  # what the first replaces, the second expires
        maintain(lake, datetime.now(UTC), keep_snapshots=timedelta(0))

    assert [m.inserted for m in merged] == [2] * len(batches)
    assert len(set(rows_of(lake))) == len(rows_of(lake)) == 2 * (3 + len(batches))
    assert (lake.snapshots(), len(lake.live_files())) == (1, 1)
    assert all(land(lake, number).already_committed for number in (1, 2, 3))


class Killed(BaseException):
    """As a SIGKILL: nothing of ours catches it, nothing is tidied up."""


def die() -> None:
    raise Killed


@pytest.mark.parametrize("point", ["before joining", "before expiring", "after expiring", "while deleting"])
def test_a_run_that_was_killed_is_finished_by_the_next(
    lake: ALake, monkeypatch: pytest.MonkeyPatch, point: str
):
    """Wherever a run ends, readers see all rows, and the next run leaves nothing undone."""
    seed(lake, 2)
    before = rows_of(lake)

    class Files(S3TableFiles):
        def list(self, location: str) -> Any:
            return die() if point == "after expiring" else super().list(location)

        def delete(self, files: Any) -> None:
            super().delete(files[: len(files) // 2])
            die()

    dies_at = {"before joining": 1, "before expiring": 2}.get(point)
    with monkeypatch.context() as patch:
        before_each_commit(patch, lambda calls: die() if calls == dies_at else None)
        with pytest.raises(Killed):
            maintain_table(maintained(lake), Files(), UPKEEP, IN_A_MONTH)
    assert rows_of(lake) == before
    maintain(lake, IN_A_MONTH)

    assert rows_of(lake) == before
    assert (len(lake.live_files()), lake.snapshots()) == (1, 1)
    assert lake.data_files() == lake.live_files()
    assert maintain(lake, IN_A_MONTH).orphans_removed == 0


def set_aside(lake: ALake, days_ago: dict[str, int]) -> None:
    """By batch id, since when it has a row in quarantine; each has a data file of its own."""
    table = the_catalog(lake.state.endpoint).load_table((lake.database("quarantine"), "employee"))
    with table.transaction() as transaction:
        for batch_id, days in days_ago.items():
            transaction.append(a_row_set_aside(batch_id, days), snapshot_properties={BATCH_ID: batch_id})


def a_row_set_aside(batch_id: str, days_ago: int) -> pa.Table:
    since = (NOW - timedelta(days=days_ago)).replace(tzinfo=None)
    values = {"batch_id": batch_id, "quarantined_at": since, "row_text": "Zoë,Núñez,230"}
    row = {c.name: pa.array([values.get(c.name)], c.arrow_type) for c in the_quarantine_columns()}
    return pa.table(row)


def test_a_run_maintains_both_tables_and_tells(lake: ALake):
    """Rows leave the quarantine when their time is over, with their bytes; the report holds counts alone."""
    seed(lake, 5)
    set_aside(lake, {"b0": 91, "b1": 89, "b2": 1})
    report = run_maintenance("jr_1", lake.of_run(), NOW)

    kept, merged = report.tables
    assert (kept.rows_deleted, kept.after.rows, merged.rows_deleted) == (1, 2, 0)
    assert (merged.files_joined, merged.files_written) == (5, 1)
    assert set(lake.rows("quarantine")["batch_id"].to_pylist()) == {"b1", "b2"}
    written = (
        lake.client("s3")
        .get_object(Bucket=lake.bucket("docs"), Key="runs/employee/maintenance/jr_1.json")["Body"]
        .read()
    )
    assert json.loads(written)["tables"][1]["after"]["data_files"] == 1
    assert not any(name in written.decode() for name in ("Zoë", "Núñez"))
    told = {metric["MetricName"] for metric in lake.client("cloudwatch").list_metrics()["Metrics"]}
    assert {"DataFiles", "SmallFiles", "Snapshots", "OrphansRemoved", "MaintenanceSeconds"} <= told


def test_rows_of_the_quarantine_are_gone_from_its_history_too(lake: ALake):
    """A week after its deletion no snapshot or file has a row; what is set aside again is not doubled."""
    set_aside(lake, {"old": 91, "new": 1})
    run_maintenance("jr_1", lake.of_run(), NOW)
    later = run_maintenance("jr_2", lake.of_run(), NOW + timedelta(days=8))
    set_aside_again(lake.table("quarantine"), "new", a_row_set_aside("new", 1))

    assert (later.tables[0].snapshots_expired, later.tables[0].rows_deleted) == (2, 0)
    assert lake.rows("quarantine")["batch_id"].to_pylist() == ["new"]
    files = [key for key in lake.keys("quarantine") if key.endswith(".parquet")]
    assert len(files) == 2, "the row, and the same row that came again"
