"""One row per key within a batch."""

import pyarrow as pa
from builders import some_employees, the_employee_contract

from etl.steps.dedupe import Deduped, dedupe_rows
from etl.steps.keys import hash_rows

CONTRACT = the_employee_contract()


def deduped(*people: tuple[str, str, int, int]) -> Deduped:
    rows = some_employees(*people)
    hashed = rows.append_column("hash", hash_rows(rows, CONTRACT.column_names))
    return dedupe_rows(hashed, CONTRACT.key, "hash")


def salaries(result: Deduped) -> list[int]:
    return result.rows["salary"].to_pylist()


def test_the_last_row_in_the_file_wins():
    """Of rows with one key the last is kept, where it stood; the others keep their order."""
    result = deduped(("Ann", "A", 1, 1), ("Bob", "B", 1, 2), ("Ann", "A", 1, 3), ("Carl", "C", 1, 4))

    assert salaries(result) == [2, 3, 4]
    assert (result.exact, result.conflicting) == (0, 1)


def test_exact_and_conflicting_duplicates_are_counted_apart():
    """A dropped row that equals the one kept is exact; one that shares only its key is conflicting."""
    result = deduped(("Ann", "A", 1, 5), ("Ann", "A", 1, 9), ("Ann", "A", 1, 5), ("Ann", "A", 1, 5))

    assert (salaries(result), result.exact, result.conflicting) == ([5], 2, 1)


def test_keys_compare_normalised_and_values_stay_as_received():
    """Two spellings of one key are duplicates, and the one kept is stored as it was written."""
    result = deduped(("Zoë", "Núñez", 1, 1), (" Zoe\u0308 ", "Núñez", 1, 2))

    assert result.rows["first_name"].to_pylist() == [" Zoe\u0308 "]
    assert result.conflicting == 1


def test_every_part_of_the_key_counts():
    """Rows that differ in one part of the key are different rows."""
    result = deduped(("Ann", "A", 1, 1), ("Ann", "A", 2, 1), ("Ann", "B", 1, 1), ("Bob", "A", 1, 1))

    assert (result.rows.num_rows, result.exact, result.conflicting) == (4, 0, 0)


def test_an_empty_batch():
    """No rows are no duplicates, and the columns stay."""
    result = deduped()

    assert (result.rows.num_rows, result.exact, result.conflicting) == (0, 0, 0)
    assert result.rows.schema.field("age").type == pa.int64()
