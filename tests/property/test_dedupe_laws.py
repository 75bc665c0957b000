"""The laws of deduplication, over any rows."""

import unicodedata

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.custom_properties import DeduplicateRule, Keep
from etl.key import Key
from etl.steps.dedupe import Deduped, dedupe_rows
from etl.steps.keys import hash_rows

QUICK = settings(max_examples=30)
COLUMNS = ("name", "age", "salary")
KEY = Key(("name", "age"))
LAST = DeduplicateRule()
GREATEST = DeduplicateRule(keep=Keep.GREATEST, orderingColumn="salary")

names = st.sampled_from(["Zoë", "Zoe\u0308", " Zoë", "Zo e", "Zo\u00a0 e", "Ann", "ann", ""])
rows = st.lists(st.tuples(names, st.integers(1, 2), st.none() | st.integers(1, 3)), max_size=25)
rules = st.sampled_from([LAST, GREATEST])
Rows = list[tuple[str, int, int | None]]


def deduped(people: Rows, rule: DeduplicateRule = LAST) -> Deduped:
    schema = pa.schema([("name", pa.string()), ("age", pa.int64()), ("salary", pa.int64())])
    table = pa.Table.from_pylist([dict(zip(COLUMNS, row, strict=True)) for row in people], schema)
    return dedupe_rows(table.append_column("hash", hash_rows(table, COLUMNS)), KEY, "hash", rule)


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
def test_the_greatest_row_of_each_key_is_kept_in_place(people: Rows):
    """With an ordering column it is the last of the rows with the greatest value, null being the smallest."""
    best: dict[tuple[str, int], int] = {}
    for position, row in enumerate(people):
        rank = (people[best[compared(row)]][2] or 0) if compared(row) in best else 0
        if (row[2] or 0) >= rank:
            best[compared(row)] = position

    assert as_rows(deduped(people, GREATEST)) == [people[position] for position in sorted(best.values())]


@QUICK
@given(rows, rules)
def test_rows_in_are_rows_out(people: Rows, rule: DeduplicateRule):
    """Kept, exact and conflicting rows add up; exact are those equal to the row that was kept."""
    result = deduped(people, rule)
    kept = {compared(row): row for row in as_rows(result)}

    assert result.rows.num_rows + result.exact + result.conflicting == len(people)
    assert result.exact + len(kept) == sum(kept[compared(row)] == row for row in people)


@QUICK
@given(rows, rules)
def test_deduplicating_twice_is_deduplicating_once(people: Rows, rule: DeduplicateRule):
    """A deduplicated batch has nothing to drop."""
    once = as_rows(deduped(people, rule))
    again = deduped(once, rule)

    assert (as_rows(again), again.exact, again.conflicting) == (once, 0, 0)
