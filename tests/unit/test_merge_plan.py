"""The plan of a merge: what is inserted, updated, left alone and skipped."""

from datetime import timedelta

import pyarrow as pa
import pytest
from builders import NOON, TODAY, a_batch, an_employee_batch, some_employees, with_lineage

from etl.batch import MergeMode
from etl.contract import LINEAGE_COLUMNS
from etl.errors import KeyNotUnique
from etl.key import Key
from etl.steps.merge import MergePlan, plan_merge, to_key_rows, wanted_keys

KEY = Key(("first_name", "last_name", "age"))
YESTERDAY = a_batch(TODAY - timedelta(days=1), "v0")


def planned(
    batch: pa.Table, *files: pa.Table, mode: MergeMode = MergeMode.UPSERT, probes: pa.Table | None = None
) -> MergePlan:
    """The plan for merging into a table of these data files."""
    nothing = to_key_rows(an_employee_batch(rows=0), KEY, 0)
    key_rows = pa.concat_tables([nothing, *(to_key_rows(f, KEY, i) for i, f in enumerate(files))])
    return plan_merge(wanted_keys(batch, KEY, probes), key_rows, mode)


def figures(plan: MergePlan) -> dict[str, int]:
    return {
        "inserts": len(plan.inserted),
        "updated": plan.updated,
        "unchanged": plan.unchanged,
        "skipped": plan.skipped,
        "conflicts": plan.conflicts,
    }


def test_everything_is_new_in_an_empty_table():
    """All rows are inserted, in the batch's order, as they are."""
    batch = an_employee_batch(rows=3)
    plan = planned(batch)

    assert plan.rows.take(plan.inserted) == batch
    assert figures(plan) == {"inserts": 3, "updated": 0, "unchanged": 0, "skipped": 0, "conflicts": 0}


@pytest.mark.parametrize(
    ("mode", "unchanged", "skipped"), [(MergeMode.UPSERT, 3, 0), (MergeMode.INSERT_ONLY, 0, 3)]
)
def test_equal_rows_are_not_written(mode: MergeMode, unchanged: int, skipped: int):
    """Rows that are in the table with equal values change nothing in either mode."""
    plan = planned(an_employee_batch(rows=3), an_employee_batch(rows=3, batch=YESTERDAY), mode=mode)

    assert plan.is_empty
    assert (plan.unchanged, plan.skipped, plan.conflicts) == (unchanged, skipped, 0)


def test_of_two_files_for_one_date_the_later_one_is_newer():
    """An earlier version of a day's file that is processed late does not undo the correction."""
    earlier = a_batch(landed_at=NOON - timedelta(hours=1))
    stale = an_employee_batch(1, earlier, salary=1)
    plan = planned(stale, an_employee_batch(1, a_batch(version_id="v2")))
    later = planned(an_employee_batch(1, a_batch(version_id="v2"), salary=1), an_employee_batch(1, earlier))

    assert figures(plan) == {"inserts": 0, "updated": 0, "unchanged": 0, "skipped": 1, "conflicts": 1}
    assert later.updated == 1


def test_upsert_updates_where_the_row_stands():
    """Changed rows name the file and the position of what they replace, ascending."""
    table = [an_employee_batch(3, YESTERDAY), an_employee_batch(3, YESTERDAY, first=3)]
    batch = pa.concat_tables(
        [
            an_employee_batch(2, salary=60_000, first=4),
            an_employee_batch(1, salary=60_000),
            an_employee_batch(1, first=9),
        ]
    )
    plan = planned(batch, *table)

    assert figures(plan) == {"inserts": 1, "updated": 3, "unchanged": 0, "skipped": 0, "conflicts": 0}
    assert {file: update.positions.tolist() for file, update in plan.updates.items()} == {0: [0], 1: [1, 2]}
    assert plan.rows["last_name"].take(plan.updates[1].replacing).to_pylist() == ["Núñez 4", "Núñez 5"]
    assert plan.rows["last_name"].take(plan.inserted).to_pylist() == ["Núñez 9"]


def test_insert_only_never_changes_a_key_that_exists():
    """Existing keys are skipped, and those with other values are counted as conflicts."""
    batch = pa.concat_tables([an_employee_batch(1, salary=60_000), an_employee_batch(3, first=1)])
    plan = planned(batch, an_employee_batch(3, YESTERDAY), mode=MergeMode.INSERT_ONLY)

    assert figures(plan) == {"inserts": 1, "updated": 0, "unchanged": 0, "skipped": 3, "conflicts": 1}
    assert (plan.conflicting.tolist(), plan.inserted.tolist()) == ([0], [3])


def test_an_older_batch_never_overwrites_a_newer_one():
    """Rows of a newer batch date stay; keys that only the older batch has are inserted."""
    late = an_employee_batch(rows=3, batch=YESTERDAY, salary=40_000)
    plan = planned(late, an_employee_batch(rows=2))

    assert figures(plan) == {"inserts": 1, "updated": 0, "unchanged": 0, "skipped": 2, "conflicts": 2}


def test_a_second_file_of_the_same_day_overwrites():
    """A corrected file for the same date is not older."""
    plan = planned(an_employee_batch(2, a_batch(version_id="v2"), salary=1), an_employee_batch(2))

    assert plan.updated == 2


def test_keys_compare_normalised():
    """A key in another Unicode form or spacing is the same key; what is stored becomes the new form."""
    old = with_lineage(some_employees(("Zoë", "Núñez", 30, 1)), YESTERDAY)
    new = with_lineage(some_employees(("Zoe\u0308", " Núñez", 30, 1)), a_batch())
    plan = planned(new, old)

    assert (plan.updated, len(plan.inserted)) == (1, 0)
    assert plan.rows["first_name"].take(plan.updates[0].replacing).to_pylist() == ["Zoe\u0308"]


def test_a_key_that_stands_twice_in_the_table():
    """A table with a key twice cannot be merged into; guessing one of them would hide the damage."""
    with pytest.raises(KeyNotUnique, match="1 keys stand more than once in the table"):
        planned(an_employee_batch(2), an_employee_batch(2, YESTERDAY), an_employee_batch(1, YESTERDAY))


def test_probes_are_looked_up_and_nothing_else():
    """The plan names the probes whose key is in the table, however often, and is otherwise the same."""
    table = [an_employee_batch(2, YESTERDAY), an_employee_batch(2, YESTERDAY, first=2)]
    batch = an_employee_batch(2, salary=1)
    probes = pa.concat_tables([an_employee_batch(2, first=7), an_employee_batch(2, first=3)])
    probes = pa.concat_tables([probes, probes.slice(2, 1)]).select(KEY)
    plan = planned(batch, *table, probes=probes)

    assert plan.probes_found.tolist() == [2, 4]
    assert figures(plan) == figures(planned(batch, *table))


def test_probes_of_a_batch_without_rows():
    """They are looked up all the same, and a probe without a part of its key is not found."""
    probes = pa.table({"first_name": ["Zoë", None], "last_name": ["Núñez 0", "Núñez 0"], "age": [30, 30]})
    plan = planned(an_employee_batch(rows=0), an_employee_batch(1), probes=probes)

    assert plan.is_empty
    assert plan.probes_found.tolist() == [0]


def test_a_batch_without_rows_changes_nothing():
    """An empty batch makes an empty plan."""
    assert planned(an_employee_batch(rows=0), an_employee_batch(rows=2)).is_empty


def test_lineage_says_which_batch_wrote_a_row():
    """Every row carries batch, object version, run, time and hash, behind its own columns."""
    batch = a_batch()
    row = an_employee_batch(rows=1, batch=batch).to_pylist()[0]

    assert tuple(row)[-len(LINEAGE_COLUMNS) :] == LINEAGE_COLUMNS
    assert (row["_batch_date"], row["_batch_id"]) == (TODAY, batch.batch_id)
    assert (row["_object_version"], row["_run_id"]) == ("v1", "wr_1")
    assert (row["_ingested_at"].isoformat(), len(row["_row_hash"])) == ("2026-11-24T12:00:00", 32)
