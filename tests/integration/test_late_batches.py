"""A batch that comes late changes only what newer ones did not touch, or find unchanged."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from builders import NOON, TODAY, a_batch, a_manifest, an_employee_batch, the_employee_contract
from lakes import ALake

from etl.batch import Batch, MergeMode
from etl.merged import Merged
from etl.tables.iceberg import IcebergTable
from etl.tables.table import BATCH_ID
from etl.tables.writing import merge_batch

pytestmark = pytest.mark.slow

KEY = the_employee_contract().key


def a_day(days: int, version: str = "v1", landed_at: datetime = NOON) -> Batch:
    return a_batch(TODAY + timedelta(days), version, landed_at=landed_at)


OLD, MIDDLE, NEW = a_day(-3), a_day(-2), a_day(-1)


def merge(
    lake: ALake,
    batch: Batch,
    rows: int = 2,
    mode: MergeMode = MergeMode.UPSERT,
    table: IcebergTable | None = None,
    **content: int,
) -> Merged:
    """People with the numbers from `first`, all with one `salary`."""
    staged = an_employee_batch(rows, batch, **content)
    confirmations = lake.of_run().confirmations(batch, a_manifest(), the_employee_contract())
    marks = {BATCH_ID: batch.batch_id}
    return merge_batch(table or lake.table(), staged, marks, KEY, mode, confirmations=confirmations)


def salaries(lake: ALake) -> dict[str, int]:
    rows = lake.rows()
    names = (name.split()[1] for name in rows["last_name"].to_pylist())
    return dict(zip(names, rows["salary"].to_pylist(), strict=True))


def test_what_a_newer_batch_found_unchanged_stays(lake: ALake):
    """Old wrote, new found it unchanged, and middle, which comes last, has other values: conflicts."""
    merge(lake, OLD, rows=2)
    merge(lake, NEW, rows=2)
    late = merge(lake, MIDDLE, rows=2, salary=1)

    assert (late.updated, late.skipped, late.conflicts) == (0, 2, 2)
    assert late.conflict_keys["k1"].to_pylist() == ["Núñez 0", "Núñez 1"]
    assert salaries(lake) == {"0": 50_000, "1": 50_000}


def test_what_a_newer_batch_did_not_have_is_changed(lake: ALake):
    """A batch may be a part of the whole: rows that it does not have are nobody's but the late batch's."""
    merge(lake, OLD, rows=3)
    merge(lake, NEW, rows=1)
    late = merge(lake, MIDDLE, rows=4, salary=1)

    assert (late.updated, late.inserted, late.conflicts) == (2, 1, 1)
    assert salaries(lake) == {"0": 50_000, "1": 1, "2": 1, "3": 1}


def test_batches_that_came_in_order_meet_no_confirmation(lake: ALake):
    """What older batches found unchanged holds back nothing, nor does what a batch itself found before."""
    merge(lake, OLD, rows=2)
    merge(lake, MIDDLE, rows=2)

    assert merge(lake, NEW, rows=2, salary=1).updated == 2
    assert merge(lake, a_day(-1, "v2", NOON + timedelta(hours=1)), rows=2, salary=2).updated == 2
    assert salaries(lake) == {"0": 2, "1": 2}


def test_of_two_files_for_one_day_the_later_one_counts(lake: ALake):
    """The day's first file, merged after its correction that found all unchanged, changes nothing."""
    merge(lake, OLD, rows=1)
    merge(lake, a_day(-1, "v2", NOON + timedelta(microseconds=1)), rows=1)

    assert merge(lake, NEW, rows=1, salary=1).conflicts == 1


def test_a_backfill_confirms_nothing(lake: ALake):
    """A backfill was not asked what the rows that exist should be, so it holds no late batch back."""
    merge(lake, OLD, rows=1)
    merge(lake, NEW, rows=1, mode=MergeMode.INSERT_ONLY)

    assert merge(lake, MIDDLE, rows=1, salary=1).updated == 1


def test_where_a_confirmation_is_gone_nothing_is_overwritten(lake: ALake):
    """What a newer batch found is unknown once its confirmation has expired: existing rows stay."""
    merge(lake, OLD, rows=1)
    merge(lake, NEW, rows=1, first=1)
    for key in lake.keys("processed", "confirmed/"):
        lake.client("s3").delete_object(Bucket=lake.bucket("processed"), Key=key)
    late = merge(lake, MIDDLE, rows=3, salary=1)

    assert (late.inserted, late.updated, late.conflicts) == (1, 0, 2)


def test_hashes_of_another_making_say_nothing(lake: ALake, monkeypatch: pytest.MonkeyPatch):
    """After an update of what hashes, what was confirmed before it is unknown: existing rows stay."""
    merge(lake, OLD, rows=2)
    merge(lake, NEW, rows=1)
    monkeypatch.setattr("duckdb.__version__", "another")

    assert merge(lake, MIDDLE, rows=2, salary=1).conflicts == 2


def test_a_batch_that_never_came_into_the_table_confirms_nothing(lake: ALake):
    """A run that was killed before its commit left a confirmation, which nobody heeds."""
    merge(lake, OLD, rows=1)

    class Killed(IcebergTable):
        def record(self, marks):
            raise KeyboardInterrupt

    table = lake.table()
    table.__class__ = Killed
    with pytest.raises(KeyboardInterrupt):
        merge(lake, NEW, rows=1, table=table)

    assert any(NEW.batch_id in key for key in lake.keys("processed", "confirmed/"))
    assert merge(lake, MIDDLE, rows=1, salary=1).updated == 1


def test_a_newer_batch_that_comes_between_plan_and_commit(lake: ALake):
    """The late batch had planned already when a newer one found all unchanged: it plans again, and yields."""
    merge(lake, OLD, rows=1)

    class Overtaken(IcebergTable):
        def commit(self, plan, summary):
            self.__class__ = IcebergTable
            assert merge(lake, NEW, rows=1).unchanged == 1
            return self.commit(plan, summary)

    table = lake.table()
    table.__class__ = Overtaken
    late = merge(lake, MIDDLE, rows=1, salary=1, table=table)

    assert (late.conflicts, late.attempts) == (1, 2)
    assert salaries(lake) == {"0": 50_000}
