"""Suspected splits and collisions: what is told of keys that do not stay with whom they name."""

from typing import Any

import pyarrow as pa
import pytest
from builders import TODAY, a_batch, some_employees, the_employee_contract, with_lineage

from etl.batch import MergeMode
from etl.custom_properties import Identity
from etl.steps.dedupe import dedupe_rows
from etl.steps.identity import count_duplicates, find_other_ages, find_splits
from etl.steps.keys import hash_rows
from etl.steps.merge import plan_merge, to_key_rows, wanted_keys

CONTRACT = the_employee_contract()
KEY = CONTRACT.key
YEARLY = Identity(agingColumn="age")
Person = tuple[str, int]


def suspected(
    table: list[Person], feed: list[Person], mode: MergeMode = MergeMode.UPSERT, identity: Identity = YEARLY
) -> list[Person]:
    """The names and ages of the rows of the feed that may be somebody of the table."""
    known, rows = (with_lineage(people(p), a_batch(TODAY)) for p in (table, feed))
    others = find_other_ages(rows, KEY, identity, mode)
    plan = plan_merge(wanted_keys(rows, KEY, others.keys), to_key_rows(known, KEY, 0), mode)
    found = rows.take(pa.array(find_splits(others, plan)))
    return list(zip(found["first_name"].to_pylist(), found["age"].to_pylist(), strict=True))


def people(stated: list[Person], **columns: Any) -> pa.Table:
    return some_employees(*((name, "X", age, 1) for name, age in stated))


def test_a_birthday():
    """A new row whose key is in the table but for one year less, which is gone from the feed."""
    assert suspected([("Ann", 30), ("Bob", 40)], [("Ann", 31), ("Bob", 40)]) == [("Ann", 31)]


@pytest.mark.parametrize(
    ("table", "feed"),
    [
        ([("Ann", 30)], [("Ann", 30), ("Ann", 31)]),  # both are in the feed: two people
        ([("Ann", 30)], [("Ann", 32)]),
        ([("Ann", 30)], [("Ann", 29)]),
        ([("Ann", 30)], [("Bob", 31)]),
        ([("Ann", 30), ("Ann", 31)], [("Ann", 31)]),  # nothing is inserted
        ([], [("Ann", 31)]),
        ([("Ann", 30)], []),
    ],
)
def test_what_is_no_birthday(table: list[Person], feed: list[Person]):
    """Namesakes who stay in the feed, other steps and names, and rows that are not new, are not suspected."""
    assert suspected(table, feed) == []


def test_keys_compare_as_in_the_merge():
    """The earlier key is known in any spelling that compares alike, in the table and in the feed."""
    assert suspected([(" Zoe\u0308", 30)], [("Zoë", 31)]) == [("Zoë", 31)]
    assert suspected([("Zoë", 30)], [("Zoë", 31), ("Zoe\u0308 ", 30)]) == []


def test_a_backfill_looks_both_ways():
    """A backfilled day may lie before the days that the table knows somebody from, or after them."""
    for age in (29, 31):
        assert suspected([("Ann", 30)], [("Ann", age)], MergeMode.INSERT_ONLY) == [("Ann", age)]


def test_another_step():
    """What ages by another step is looked for at that distance alone."""
    by_ten = Identity(agingColumn="age", step=10)

    assert suspected([("Ann", 30)], [("Ann", 40), ("Ann", 31)], identity=by_ten) == [("Ann", 40)]


def test_keys_with_different_values_collide():
    """Each such key counts once, however many rows it has; exact duplicates collide with nothing."""
    rows = some_employees(("Ann", "X", 1, 1), ("Bob", "X", 1, 1), ("Ann", "X", 1, 2), ("Cid", "X", 1, 1))
    rows = pa.concat_tables([rows, some_employees(("Ann", "X", 1, 3), ("Cid", "X", 1, 1))])
    hashed = rows.append_column("hash", hash_rows(rows, CONTRACT.column_names))
    deduped = dedupe_rows(hashed, KEY, "hash", CONTRACT.deduplicate)
    told = count_duplicates(deduped, KEY, YEARLY)

    assert (told.exact, told.conflicting, told.collisions) == (1, 2, 1)
    assert told.collision_keys.to_pylist() == [{"k0": "Ann", "k1": "X", "k2": 1}]
    assert count_duplicates(deduped, KEY, None).collisions == 0
