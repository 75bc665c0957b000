"""A batch stays known when its snapshot is gone, and a run knows its own commit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest
from builders import TODAY, a_batch, an_employee_batch, the_employee_contract
from lakes import ALake, the_catalog
from pyiceberg.table import Table

from etl.batch import Batch, MergeMode
from etl.errors import CommitConflict
from etl.merged import Merged
from etl.tables.iceberg_ledger import fold
from etl.tables.table import BATCH_ID, RUN_ID, STAGED_SHA256
from etl.tables.writing import merge_batch

KEY = the_employee_contract().key
TOMORROW = a_batch(TODAY + timedelta(days=1), "v2")


def marks(batch: Batch, run: str) -> dict[str, str]:
    return {BATCH_ID: batch.batch_id, STAGED_SHA256: "f" * 64, RUN_ID: run}


def merge(lake: ALake, rows: pa.Table, batch: Batch, run: str) -> Merged:
    return merge_batch(lake.table(), rows, marks(batch, run), KEY, MergeMode.UPSERT)


def opened(lake: ALake) -> Table:
    return the_catalog(lake.state.endpoint).load_table((lake.database("processed"), "employee"))


def expire_all_but_the_last(table: Table) -> None:
    with table.maintenance.expire_snapshots() as expiry:
        expiry.by_ids([s.snapshot_id for s in table.snapshots()[:-1]])


def test_an_expired_batch_is_a_no_op(lake: ALake):
    """A batch whose snapshot has expired changes nothing when it comes again, and is not planned again."""
    merge(lake, an_employee_batch(2), a_batch(), "wr_1")
    merge(lake, an_employee_batch(2, TOMORROW, salary=60_000), TOMORROW, "wr_2")
    expire_all_but_the_last(opened(lake))
    location = opened(lake).metadata_location
    again = merge(lake, an_employee_batch(2), a_batch(), "wr_3")

    assert (again.already_committed, again.skipped, lake.snapshots()) == (True, 2, 1)
    assert opened(lake).metadata_location == location


def test_a_batch_that_changed_nothing_is_known_too(lake: ALake):
    """It is in the ledger without a snapshot, so another run does not plan it again; its own may."""
    merge(lake, an_employee_batch(2), a_batch(), "wr_1")
    first = merge(lake, an_employee_batch(2, TOMORROW), TOMORROW, "wr_2")
    resumed = merge(lake, an_employee_batch(2, TOMORROW), TOMORROW, "wr_2")
    again = merge(lake, an_employee_batch(2, TOMORROW), TOMORROW, "wr_3")

    assert (first.unchanged, first.already_committed, lake.snapshots()) == (2, False, 1)
    assert resumed == first
    assert (again.skipped, again.already_committed) == (2, True)


def test_a_run_that_was_killed_after_its_commit_reports_it(lake: ALake):
    """Taken up again, a run tells what its own commit did, but for the keys that it would have listed."""
    merge(lake, an_employee_batch(2), a_batch(), "wr_1")
    first = merge(lake, an_employee_batch(3, TOMORROW, salary=60_000), TOMORROW, "wr_2")
    resumed = merge(lake, an_employee_batch(3, TOMORROW, salary=60_000), TOMORROW, "wr_2")

    assert (first.inserted, first.updated, first.already_committed) == (1, 2, False)
    assert resumed == replace(first, conflict_keys=None, split_keys=None)
    assert lake.snapshots() == 2


def test_marks_of_another_engine_are_folded_into_the_ledger(lake: ALake):
    """A commit that set no property, as Spark's cannot, stays known if expiry folds its summary in first."""
    merge(lake, an_employee_batch(1), a_batch(), "wr_1")
    table = opened(lake)
    rows = an_employee_batch(1, TOMORROW, first=5).cast(table.schema().as_arrow())
    table.append(rows, snapshot_properties=marks(TOMORROW, "spark"))
    table.append(rows.slice(0, 0))
    with table.transaction() as transaction:
        fold(transaction)
        transaction.set_properties({"other": "kept"})
    expire_all_but_the_last(opened(lake))

    assert lake.table().has_commit(marks(TOMORROW, "spark"))
    assert lake.table().has_commit(marks(a_batch(), "wr_1"))
    assert lake.table().find_summary(marks(TOMORROW, "spark")) is None


def test_two_commits_never_lose_a_mark(lake: ALake):
    """Of two commits made on one ledger, neither of which brings a snapshot, the second is a conflict."""
    one, other = lake.table(), lake.table()
    one.record(marks(a_batch(), "wr_1"))
    with pytest.raises(CommitConflict):
        other.record(marks(TOMORROW, "wr_2"))
    other.refresh()
    other.record(marks(TOMORROW, "wr_2"))

    assert lake.table().has_commit(marks(a_batch(), "wr_1"))
    assert lake.table().has_commit(marks(TOMORROW, "wr_2"))
