"""Merging into a real Iceberg table, alone and among other writers."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
from builders import (
    TODAY,
    a_batch,
    an_employee_batch,
    some_employees,
    the_employee_contract,
    the_quarantine_columns,
    with_lineage,
)
from lakes import ALake, the_catalog
from pyiceberg.exceptions import CommitFailedException

from etl.batch import Batch, MergeMode
from etl.contract import Column
from etl.errors import CommitConflict, CommitStateUnknown, ContractInvalid
from etl.merged import Merged
from etl.steps.merge import plan_merge, wanted_keys
from etl.tables import writing
from etl.tables.iceberg import IcebergTable
from etl.tables.table import BATCH_ID, RUN_ID
from etl.tables.writing import merge_batch, release_rows, set_aside

KEY = the_employee_contract().key
SECOND = a_batch(version_id="v2")
TOMORROW = a_batch(TODAY + timedelta(days=1), "v3")


def merge(table: IcebergTable, rows: pa.Table, batch: Batch, mode: MergeMode = MergeMode.UPSERT) -> Merged:
    """Each call is a run of its own."""
    return merge_batch(table, rows, {BATCH_ID: batch.batch_id, RUN_ID: uuid4().hex}, KEY, mode)


def salaries(lake: ALake) -> dict[str, int]:
    rows = lake.rows().select(["last_name", "salary"]).to_pylist()
    assert len({row["last_name"] for row in rows}) == len(rows), "a key stands twice"
    return {row["last_name"].removeprefix("Núñez "): row["salary"] for row in rows}


def test_insert_then_upsert(lake: ALake):
    """Rows arrive as they were, changed ones are replaced, and the rest keep their values and lineage."""
    first, second = an_employee_batch(3), an_employee_batch(2, SECOND, salary=60_000, first=2)
    inserted = merge(lake.table(), first, a_batch())
    assert lake.rows().to_pylist() == first.to_pylist()
    upserted = merge(lake.table(), second, SECOND)

    assert salaries(lake) == {"0": 50_000, "1": 50_000, "2": 60_000, "3": 60_000}
    assert (inserted.inserted, inserted.committed, inserted.attempts) == (3, True, 1)
    assert (upserted.inserted, upserted.updated) == (1, 1)
    assert Counter(lake.rows()["_batch_id"].to_pylist()) == {a_batch().batch_id: 2, SECOND.batch_id: 2}
    assert lake.snapshots() == 2


def test_unchanged_rows_make_no_snapshot(lake: ALake):
    """A batch that changes nothing commits nothing and writes no file."""
    merge(lake.table(), an_employee_batch(3), a_batch())
    files = lake.data_files()
    again = merge(lake.table(), an_employee_batch(3, SECOND), SECOND)

    assert (again.committed, again.already_committed, again.unchanged) == (False, False, 3)
    assert (lake.snapshots(), lake.data_files()) == (1, files)


def test_a_batch_that_is_in_the_history_is_a_no_op(lake: ALake):
    """The same batch merged again does nothing, even after a later batch changed its rows."""
    merge(lake.table(), an_employee_batch(2), a_batch())
    merge(lake.table(), an_employee_batch(2, SECOND, salary=60_000), SECOND)
    again = merge(lake.table(), an_employee_batch(2), a_batch())

    assert (again.already_committed, again.committed, again.skipped) == (True, False, 2)
    assert salaries(lake) == {"0": 60_000, "1": 60_000}
    assert lake.snapshots() == 2


def test_only_files_with_a_changed_row_are_rewritten(lake: ALake):
    """An update leaves data files without a changed row where they are."""
    merge(lake.table(), an_employee_batch(3), a_batch())
    untouched = lake.live_files()
    merge(lake.table(), an_employee_batch(3, SECOND, first=3), SECOND)
    merge(lake.table(), an_employee_batch(1, TOMORROW, salary=1, first=4), TOMORROW)

    assert set(untouched) < set(lake.live_files())
    assert salaries(lake) == {"0": 50_000, "1": 50_000, "2": 50_000, "3": 50_000, "4": 1, "5": 50_000}


def test_manifests_do_not_pile_up(lake: ALake):
    """However often a file is replaced, readers open no manifest that tells of gone files alone."""
    for number in range(4):
        batch = a_batch(version_id=f"w{number}")
        merge(lake.table(), an_employee_batch(1, batch, salary=number), batch)
    table = the_catalog(lake.state.endpoint).load_table((lake.database("processed"), "employee"))
    snapshot = table.current_snapshot()

    assert len(snapshot.manifests(table.io)) == 2, "of the file that is there, and of the one it replaced"
    assert salaries(lake) == {"0": 3}


def test_insert_only_leaves_the_table_alone(lake: ALake):
    """A backfill adds what is missing and changes nothing that is there."""
    merge(lake.table(), an_employee_batch(2), a_batch())
    merged = merge(lake.table(), an_employee_batch(3, SECOND, salary=1), SECOND, MergeMode.INSERT_ONLY)

    assert salaries(lake) == {"0": 50_000, "1": 50_000, "2": 1}
    assert (merged.skipped, merged.conflicts) == (2, 2)


def test_a_late_batch_never_overwrites_a_newer_one(lake: ALake):
    """Yesterday's file that arrives today changes only keys that today's did not have."""
    merge(lake.table(), an_employee_batch(2, TOMORROW, salary=70_000), TOMORROW)
    merge(lake.table(), an_employee_batch(3), a_batch())

    assert salaries(lake) == {"0": 70_000, "1": 70_000, "2": 50_000}


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_concurrent_writers_lose_nothing(lake: ALake):
    """Two writers of four threads each, on overlapping keys: every merge counts, and no key stands twice."""
    merge(lake.table(), an_employee_batch(4), a_batch())
    start = threading.Barrier(8)

    def write(number: int) -> Merged:
        batch = a_batch(version_id=f"w{number}")
        own = an_employee_batch(1, batch, salary=number, first=100 + number)
        shared = an_employee_batch(4, batch, salary=1000 + number)
        contested = an_employee_batch(1, batch, salary=number, first=50)
        mode = MergeMode.UPSERT if number % 2 else MergeMode.INSERT_ONLY
        table = lake.table()
        start.wait()
        return merge(table, pa.concat_tables([own, shared, contested]), batch, mode)

    with ThreadPoolExecutor(8) as pool:
        merged = list(pool.map(write, range(8)))
    found = salaries(lake)

    assert {key: found[key] for key in map(str, range(100, 108))} == {str(100 + n): n for n in range(8)}
    assert len({found[key] for key in "0123"}) == 1, "each merge is all or nothing"
    assert found["0"] in {1001, 1003, 1005, 1007}
    assert sum(m.inserted for m in merged) == 8 + 1
    assert lake.snapshots() == 1 + 8
    assert max(m.attempts for m in merged) > 1, "no conflict happened, so nothing was tried"
    assert set(lake.live_files()) <= set(lake.data_files())


def test_a_conflict_leaves_no_files_behind(lake: ALake):
    """The writer that came second takes back the files it wrote, and those of the first stay."""
    slow, fast = lake.table(), lake.table()
    wanted = wanted_keys(an_employee_batch(2, SECOND), KEY)
    plan = plan_merge(wanted, slow.key_rows(wanted), MergeMode.UPSERT)
    merge(fast, an_employee_batch(2), a_batch())
    with pytest.raises(CommitConflict) as caught:
        slow.commit(plan, {})

    assert caught.value.retryable
    assert lake.data_files() == lake.live_files()
    assert salaries(lake) == {"0": 50_000, "1": 50_000}


class AnUnsureCatalog:
    """The Glue catalog, but the first commits take effect (or not) and then their answer is lost."""

    def __init__(self, catalog: Any, *, lost: int = 1, takes_effect: bool = True):
        self._catalog, self._lost, self._takes_effect = catalog, lost, takes_effect

    def __getattr__(self, name: str) -> Any:
        return getattr(self._catalog, name)

    def load_table(self, identifier: Any) -> Any:
        table = self._catalog.load_table(identifier)
        table.catalog = self
        return table

    def commit_table(self, *args: Any, **kwargs: Any) -> Any:
        if not self._lost:
            return self._catalog.commit_table(*args, **kwargs)
        self._lost -= 1
        if self._takes_effect:
            self._catalog.commit_table(*args, **kwargs)
        raise ConnectionError("the answer was lost")


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries wait a tenth as long."""
    monkeypatch.setattr(writing, "wait_random_exponential", lambda **_: lambda _state: 0.02)


@pytest.mark.usefixtures("_impatient")
def test_a_commit_whose_answer_was_lost_counts_once(lake: ALake):
    """When the commit did happen it is found in the history, and is neither made nor counted again."""
    table = lake.table(catalog=AnUnsureCatalog(the_catalog(lake.state.endpoint)))
    merged = merge(table, an_employee_batch(3), a_batch())

    assert (merged.inserted, merged.committed, merged.already_committed) == (3, True, False)
    assert (lake.snapshots(), merged.attempts) == (1, 2)
    assert lake.data_files() == lake.live_files()
    assert len(salaries(lake)) == 3


@pytest.mark.usefixtures("_impatient")
def test_a_commit_that_did_not_happen_is_made(lake: ALake):
    """When the catalog failed before the commit, it is planned and made again."""
    table = lake.table(catalog=AnUnsureCatalog(the_catalog(lake.state.endpoint), lost=2, takes_effect=False))
    merged = merge(table, an_employee_batch(3), a_batch())

    assert (merged.committed, merged.attempts, lake.snapshots()) == (True, 3, 1)
    assert len(salaries(lake)) == 3


@pytest.mark.usefixtures("_impatient")
def test_a_catalog_that_stays_away_ends_the_run(lake: ALake):
    """Retries are bounded, and what leaves is retryable and says that the outcome is unknown."""
    table = lake.table(catalog=AnUnsureCatalog(the_catalog(lake.state.endpoint), lost=99, takes_effect=False))
    with pytest.raises(CommitStateUnknown, match="ConnectionError") as caught:
        merge(table, an_employee_batch(1), a_batch())

    assert caught.value.retryable
    assert "the answer was lost" not in str(caught.value)


@pytest.mark.usefixtures("_impatient")
def test_the_same_batch_in_two_runs_counts_once(lake: ALake):
    """A run that loses to another run of the very same batch has committed nothing, and says so."""

    class ARacedCatalog(AnUnsureCatalog):
        def commit_table(self, *args: Any, **kwargs: Any) -> Any:
            merge(lake.table(), an_employee_batch(3), a_batch())
            return self._catalog.commit_table(*args, **kwargs)

    table = lake.table(catalog=ARacedCatalog(the_catalog(lake.state.endpoint)))
    merged = merge(table, an_employee_batch(3), a_batch())

    assert (merged.already_committed, merged.committed) == (True, False)
    assert (lake.snapshots(), lake.data_files()) == (1, lake.live_files())


def test_new_columns_of_the_contract_come_to_the_table(lake: ALake):
    """A column that the table lacks is added as null for old rows; those it has are left alone."""
    merge(lake.table(), an_employee_batch(2), a_batch())
    table = lake.table()
    table.add_columns((*the_employee_contract().columns, Column("office", "string", False, None, "")))
    rows = with_lineage(some_employees(("Ann", "A", 30, 1)), SECOND).append_column("office", [["Rome"]])
    merge(table, rows, SECOND)

    assert sorted(lake.rows()["office"].to_pylist(), key=str) == [None, None, "Rome"]
    table.add_columns(the_employee_contract().columns)
    assert lake.rows().num_rows == 3


def test_a_column_never_changes_its_type_silently(lake: ALake):
    """A contract that gives a column another type than the table has is refused, by the column's name."""
    with pytest.raises(ContractInvalid, match="column salary is double in it but int64 in the table"):
        lake.table().add_columns((Column("salary", "double", True, None, ""),))


def test_an_update_of_a_file_from_before_a_new_column(lake: ALake):
    """A file written before the column was added is rewritten with it."""
    merge(lake.table(), an_employee_batch(2), a_batch())
    table = lake.table()
    table.add_columns((Column("office", "string", False, None, ""),))
    merge(table, an_employee_batch(1, SECOND, salary=1), SECOND)

    assert salaries(lake) == {"0": 1, "1": 50_000}
    assert lake.rows()["office"].to_pylist() == [None, None]


def quarantined(lines: list[int], batch: Batch) -> pa.Table:
    schema = pa.schema([(column.name, column.arrow_type) for column in the_quarantine_columns()])
    rows = [
        dict.fromkeys(schema.names) | {"batch_id": batch.batch_id, "line_number": n, "reasons": ["age"]}
        for n in lines
    ]
    return pa.Table.from_pylist(rows, schema)


def in_quarantine(lake: ALake) -> list[tuple[str, int]]:
    rows = lake.rows("quarantine").to_pylist()
    return sorted((row["batch_id"], row["line_number"]) for row in rows)


def test_quarantining_a_batch_twice_keeps_its_rows_once(lake: ALake):
    """What fails again is there once; what passes now stays until it is released; other batches stay."""
    one, two = a_batch().batch_id, SECOND.batch_id
    set_aside(lake.table("quarantine"), two, quarantined([9], SECOND))
    passing = [
        set_aside(lake.table("quarantine"), one, quarantined(lines, a_batch()))
        for lines in ([2, 3], [2, 3], [3, 4])
    ]

    assert passing == [(), (), (2,)]
    assert in_quarantine(lake) == sorted([(one, 2), (one, 3), (one, 4), (two, 9)])
    for _ in range(2):
        release_rows(lake.table("quarantine"), one, (2, 9))
    assert in_quarantine(lake) == sorted([(one, 3), (one, 4), (two, 9)])


def test_a_quarantined_batch_whose_snapshot_expired_is_replaced(lake: ALake):
    """Whether a batch is in quarantine is read from its rows, so no expiry can double them."""
    set_aside(lake.table("quarantine"), a_batch().batch_id, quarantined([2, 3], a_batch()))
    set_aside(lake.table("quarantine"), SECOND.batch_id, quarantined([9], SECOND))
    table = the_catalog(lake.state.endpoint).load_table((lake.database("quarantine"), "employee"))
    with table.maintenance.expire_snapshots() as expiry:
        expiry.by_id(table.snapshots()[0].snapshot_id)
    set_aside(lake.table("quarantine"), a_batch().batch_id, quarantined([2, 3], a_batch()))

    assert in_quarantine(lake) == sorted([(a_batch().batch_id, n) for n in (2, 3)] + [(SECOND.batch_id, 9)])


def test_a_batch_that_no_longer_has_bad_rows(lake: ALake):
    """Its rows stay until they are released; a clean batch commits nothing."""
    set_aside(lake.table("quarantine"), a_batch().batch_id, quarantined([], a_batch()))
    assert lake.snapshots("quarantine") == 0
    set_aside(lake.table("quarantine"), a_batch().batch_id, quarantined([2], a_batch()))
    passing = set_aside(lake.table("quarantine"), a_batch().batch_id, quarantined([], a_batch()))
    assert (passing, in_quarantine(lake)) == ((2,), [(a_batch().batch_id, 2)])
    release_rows(lake.table("quarantine"), a_batch().batch_id, passing)

    assert in_quarantine(lake) == []


def test_a_quarantine_that_lacks_a_column_gets_it(lake: ALake):
    """A table from before a column was added gets it, rows or none; what was in it stays, with nulls."""
    older = tuple(column for column in the_quarantine_columns() if column.name != "dataset")
    lake.drop_table("quarantine")
    lake.create_table("quarantine", older)
    batch_id = a_batch().batch_id
    set_aside(lake.table("quarantine"), batch_id, quarantined([2], a_batch()).drop("dataset"), older)
    set_aside(lake.table("quarantine"), "x", quarantined([], a_batch()), the_quarantine_columns())
    assert lake.rows("quarantine").num_columns == len(the_quarantine_columns())
    now = quarantined([5], SECOND).set_column(0, "dataset", pa.array(["employee"]))
    set_aside(lake.table("quarantine"), SECOND.batch_id, now, the_quarantine_columns())

    assert in_quarantine(lake) == sorted([(batch_id, 2), (SECOND.batch_id, 5)])
    assert sorted(map(str, lake.rows("quarantine")["dataset"].to_pylist())) == ["None", "employee"]


@pytest.mark.usefixtures("_impatient")
def test_concurrent_quarantines_of_several_batches(lake: ALake):
    """Batches that are quarantined at the same time all end in the table, once."""
    batches = [a_batch(version_id=f"q{number}") for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for done in [
            pool.submit(set_aside, lake.table("quarantine"), b.batch_id, quarantined([2], b)) for b in batches
        ]:
            done.result()

    assert in_quarantine(lake) == sorted((batch.batch_id, 2) for batch in batches)


def test_conflicts_are_never_repeated_without_a_new_plan(lake: ALake):
    """PyIceberg's own commit retry is off: it would add rows whose keys another writer added meanwhile."""
    calls = []

    class ACountingCatalog(AnUnsureCatalog):
        def commit_table(self, *args: Any, **kwargs: Any) -> Any:
            calls.append(1)
            raise CommitFailedException("another writer")

    table = lake.table(catalog=ACountingCatalog(the_catalog(lake.state.endpoint)))
    wanted = wanted_keys(an_employee_batch(1), KEY)
    plan = plan_merge(wanted, table.key_rows(wanted), MergeMode.UPSERT)
    with pytest.raises(CommitConflict):
        table.commit(plan, {})

    assert len(calls) == 1
