"""The laws of the merge, against a table that is a dictionary."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from builders import NOON, TODAY, a_batch, some_employees
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.batch import Batch, MergeMode
from etl.key import Key
from etl.steps.confirmed import confirmed_keys, leave_confirmed
from etl.steps.merge import MergePlan, add_lineage, plan_merge, to_key_rows, wanted_keys

pytestmark = pytest.mark.slow

QUICK = settings(max_examples=25)
KEY = Key(("first_name", "last_name", "age"))
UPSERT, INSERT_ONLY = MergeMode

Salaries = dict[str, int]
some_salaries = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 3), max_size=6)
modes = st.sampled_from(MergeMode)
days = st.integers(0, 2)
history = st.lists(st.tuples(some_salaries, days, modes), max_size=3)


@dataclass
class FileTable:
    """A table of data files to which plans are applied as IcebergTable and merge_batch apply them."""

    files: list[pa.Table] = field(default_factory=list)
    confirmed: list[tuple[date, pa.ChunkedArray]] = field(default_factory=list)

    def merge(self, salaries: Salaries, day: int = 0, mode: MergeMode = UPSERT) -> MergePlan:
        batch = a_batch(on(day), f"{day} {mode} {sorted(salaries.items())}")
        rows = a_merging_batch(salaries, batch)
        nothing = to_key_rows(rows.slice(0, 0), KEY, 0)
        keys = pa.concat_tables([nothing, *(to_key_rows(f, KEY, i) for i, f in enumerate(self.files))])
        wanted = wanted_keys(rows, KEY)
        plan = plan_merge(wanted, keys, mode)
        if plan.updates:
            newer = [said for said_on, said in self.confirmed if said_on > on(day)]
            plan = leave_confirmed(plan, wanted.batch_keys, newer)
        self.confirmed.append((on(day), confirmed_keys(plan, wanted.batch_keys, mode)))
        for number, update in plan.updates.items():
            kept = np.delete(np.arange(self.files[number].num_rows), update.positions)
            self.files[number] = pa.concat_tables(
                [self.files[number].take(kept), plan.rows.take(update.replacing)]
            )
        if len(plan.inserted):
            self.files.append(plan.rows.take(plan.inserted))
        return plan

    def rows(self) -> list[dict[str, Any]]:
        return [row for file in self.files for row in file.to_pylist()]

    def content(self) -> dict[str, tuple[int, date]]:
        rows = self.rows()
        assert len({row["first_name"] for row in rows}) == len(rows), "a key stands twice"
        return {row["first_name"]: (row["salary"], row["_batch_date"]) for row in rows}


def a_merging_batch(salaries: Salaries, batch: Batch) -> pa.Table:
    """Only the salary differs between two rows of a key, so it serves as their hash."""
    rows = some_employees(*((name, "X", 30, pay) for name, pay in salaries.items()))
    hashes = pa.chunked_array([rows["salary"].cast(pa.string()).combine_chunks()])
    return add_lineage(rows, hashes, batch, "wr_1", NOON)


def on(day: int) -> date:
    return TODAY + timedelta(days=day)


def a_table(past: list[tuple[Salaries, int, MergeMode]]) -> FileTable:
    table = FileTable()
    for salaries, day, mode in past:
        table.merge(salaries, day, mode)
    return table


@QUICK
@given(history)
def test_a_table_is_what_the_model_says(past: list[tuple[Salaries, int, MergeMode]]):
    """After any history the table holds what one assignment to a dictionary per row would leave."""
    model: dict[str, tuple[int, date]] = {}
    said: dict[str, date] = {}  # when a batch last wrote a row, or found it unchanged
    for salaries, day, mode in past:
        for name, pay in salaries.items():
            if name not in model or (mode is UPSERT and said[name] <= on(day)):
                said[name] = on(day)
                if name not in model or model[name][0] != pay:
                    model[name] = (pay, on(day))

    assert a_table(past).content() == model


@QUICK
@given(st.permutations(range(4)), st.lists(some_salaries, min_size=4, max_size=4))
def test_the_order_in_which_batches_come_does_not_count(order: list[int], daily: list[Salaries]):
    """Each key has the value of the newest batch that had it, whichever batch was merged last."""
    table = a_table([(daily[day], day, UPSERT) for day in order])
    newest = {name: pay for salaries in daily for name, pay in salaries.items()}

    assert {name: pay for name, (pay, _) in table.content().items()} == newest


@QUICK
@given(history, some_salaries, days, modes)
def test_merging_twice_is_merging_once(
    past: list[tuple[Salaries, int, MergeMode]], salaries: Salaries, day: int, mode: MergeMode
):
    """The second time nothing is inserted or updated."""
    table = a_table(past)
    table.merge(salaries, day, mode)

    assert table.merge(salaries, day, mode).is_empty


@QUICK
@given(history, some_salaries, days)
def test_insert_only_changes_no_row_that_exists(
    past: list[tuple[Salaries, int, MergeMode]], salaries: Salaries, day: int
):
    """After a backfill every row from before is there, with its values and its lineage."""
    table = a_table(past)
    before = table.rows()
    table.merge(salaries, day, INSERT_ONLY)

    assert table.rows()[: len(before)] == before
    assert table.content().keys() >= salaries.keys()


@QUICK
@given(history, some_salaries, some_salaries, days, days, modes, modes)
def test_disjoint_batches_commute(
    past: list[tuple[Salaries, int, MergeMode]],
    one: Salaries,
    other: Salaries,
    day: int,
    other_day: int,
    mode: MergeMode,
    other_mode: MergeMode,
):
    """Two batches without a common key leave the same table in either order."""
    other = {name: pay for name, pay in other.items() if name not in one}
    forth = a_table(past)
    back = FileTable(list(forth.files), list(forth.confirmed))
    forth.merge(one, day, mode)
    forth.merge(other, other_day, other_mode)
    back.merge(other, other_day, other_mode)
    back.merge(one, day, mode)

    assert sorted(map(str, forth.rows())) == sorted(map(str, back.rows()))


@QUICK
@given(history, some_salaries, days, modes)
def test_every_row_of_the_batch_ends_somewhere(
    past: list[tuple[Salaries, int, MergeMode]], salaries: Salaries, day: int, mode: MergeMode
):
    """Inserted, updated, unchanged and skipped rows add up, and conflicts are among the skipped."""
    plan = a_table(past).merge(salaries, day, mode)

    assert len(plan.inserted) + plan.updated + plan.unchanged + plan.skipped == len(salaries)
    assert plan.conflicts <= plan.skipped


@QUICK
@given(history, some_salaries, days, modes)
def test_an_older_batch_overwrites_nothing_newer(
    past: list[tuple[Salaries, int, MergeMode]], salaries: Salaries, day: int, mode: MergeMode
):
    """Rows with a later batch date than the batch are as they were."""
    table = a_table(past)
    newer = {name: row for name, row in table.content().items() if row[1] > on(day)}
    table.merge(salaries, day, mode)

    assert newer.items() <= table.content().items()
