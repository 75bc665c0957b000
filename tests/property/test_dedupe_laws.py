"""The laws of deduplication, over any rows."""

import unicodedata

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.steps.dedupe import Deduped, dedupe_rows
from etl.steps.keys import hash_rows

QUICK = settings(deadline=None, max_examples=30)
COLUMNS = ("name", "age", "salary")
KEY = ("name", "age")

names = st.sampled_from(["Zoë", "Zoe\u0308", " Zoë", "Zo e", "Zo\u00a0 e", "Ann", "ann", ""])
rows = st.lists(st.tuples(names, st.integers(1, 2), st.integers(1, 3)), max_size=25)
Rows = list[tuple[str, int, int]]


def deduped(people: Rows) -> Deduped:
    schema = pa.schema([("name", pa.string()), ("age", pa.int64()), ("salary", pa.int64())])
    table = pa.Table.from_pylist([dict(zip(COLUMNS, row, strict=True)) for row in people], schema)
    return dedupe_rows(table.append_column("hash", hash_rows(table, COLUMNS)), KEY, "hash")


def as_rows(result: Deduped) -> Rows:
    return [tuple(row[name] for name in COLUMNS) for row in result.rows.to_pylist()]


def compared(row: tuple[str, int, int]) -> tuple[str, int]:
    return " ".join(unicodedata.normalize("NFC", row[0]).split()), row[1]


@QUICK
@given(rows)
def test_the_last_row_of_each_key_is_kept_in_place(people: Rows):
    """What is left is, in the file's order, the last row of each normalised key, as it was received."""
    last = {compared(row): position for position, row in enumerate(people)}

    assert as_rows(deduped(people)) == [people[position] for position in sorted(last.values())]


@QUICK
@given(rows)
def test_rows_in_are_rows_out(people: Rows):
    """Kept, exact and conflicting rows add up; exact are those equal to the row that was kept."""
    result = deduped(people)
    kept = {compared(row): row for row in as_rows(result)}

    assert result.rows.num_rows + result.exact + result.conflicting == len(people)
    assert result.exact + len(kept) == sum(kept[compared(row)] == row for row in people)


@QUICK
@given(rows)
def test_deduplicating_twice_is_deduplicating_once(people: Rows):
    """A deduplicated batch has nothing to drop."""
    once = as_rows(deduped(people))
    again = deduped(once)

    assert (as_rows(again), again.exact, again.conflicting) == (once, 0, 0)
