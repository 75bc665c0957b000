"""One row per key within a batch."""

from datetime import date

import pyarrow as pa
from builders import some_employees, the_employee_contract

from etl.custom_properties import DeduplicateRule, Keep
from etl.steps.dedupe import Deduped, dedupe_rows
from etl.steps.keys import hash_rows

CONTRACT = the_employee_contract()
BY_DATE = DeduplicateRule(keep=Keep.GREATEST, orderingColumn="hire_date")
EARLY, LATE = date(1969, 12, 31), date(2026, 11, 24)


def deduped(*people: tuple[str, str, int, int], rule: DeduplicateRule = CONTRACT.deduplicate) -> Deduped:
    rows = some_employees(*people)
    hashed = rows.append_column("hash", hash_rows(rows, CONTRACT.column_names))
    return dedupe_rows(hashed, CONTRACT.key, "hash", rule)


def kept_of(*hired: date | None) -> tuple[int, int, int]:
    """Of rows with one key and these dates: the one kept, and how many exact and conflicting duplicates."""
    rows = some_employees(*(("Ann", "A", 30, n) for n in range(len(hired))))
    dates = pa.array(hired, pa.date32())
    by_date = rows.set_column(rows.column_names.index("hire_date"), "hire_date", dates)
    hashed = by_date.append_column("hash", hash_rows(by_date, ["hire_date"]))
    result = dedupe_rows(hashed, CONTRACT.key, "hash", BY_DATE)
    return salaries(result)[0], result.exact, result.conflicting


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


def test_the_greatest_of_an_ordering_column_wins():
    """Wherever it stands in the file, and whatever the order is of."""
    assert kept_of(EARLY, LATE, EARLY) == (1, 0, 2)
    assert kept_of(LATE, EARLY) == (0, 0, 1)


def test_null_is_less_than_any_value():
    """A row without a value of the ordering column wins over none that has one."""
    assert kept_of(EARLY, None) == (0, 0, 1)
    assert kept_of(None, EARLY, None) == (1, 0, 2)


def test_of_equal_ordering_values_the_last_in_the_file_wins():
    """Also where none of the rows has a value; equal rows are exact duplicates under this rule too."""
    assert kept_of(LATE, LATE, EARLY) == (1, 1, 1)
    assert kept_of(None, None)[0] == 1
