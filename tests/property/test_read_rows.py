"""Reading CSV: for any file, every row is read as it stands, set aside, or the file is rejected."""

import csv
import io
import re
from typing import Any

from builders import a_contract
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.errors import FileRejected
from etl.steps.read_csv import ReadRows, read_rows

QUICK = settings(max_examples=150)
CONTRACT = a_contract(name="string", age="bigint", city="string")
HEADER = "name,age,city"

# No surrogates (UTF-8 has none) and no NUL (a file with one is rejected whole).
text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
tricky = st.lists(st.sampled_from(['"', ",", "\n", "\r\n", "\r", "a", "é", " ", "\u2028", "\v"]), max_size=6)
field = st.one_of(text, tricky.map("".join))
row = st.tuples(field, st.integers(-(2**63), 2**63 - 1), field)


# Python's writer, told to quote what needs it, sees a line end only in those it writes itself.
WAYS_TO_WRITE = [("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL)]


def values(result: ReadRows) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in result.rows.to_pylist()]


def lines_of(content: str) -> list[str]:
    """The physical lines, ended by LF, CRLF or CR."""
    return re.split(r"\r\n|\n|\r", content)


@QUICK
@given(st.lists(row, max_size=20), st.sampled_from(WAYS_TO_WRITE))
def test_what_a_csv_writer_wrote_is_read_back(rows: list[tuple[str, int, str]], way: tuple[str, Any]):
    """Any rows come back unchanged and in order, whatever is in them; an empty field is null."""
    file, (end, quoting) = io.StringIO(newline=""), way
    csv.writer(file, lineterminator=end, quoting=quoting).writerows([HEADER.split(","), *rows])
    result = read_rows(io.BytesIO(file.getvalue().encode()), "k", CONTRACT)

    assert values(result) == [(name or None, age, city or None) for name, age, city in rows]
    assert result.unparsable == ()


def a_file(count: int) -> str:
    """Rows whose values say where they belong: n3, 3, c3."""
    return "".join(f"{line}\n" for line in [HEADER, *(f"n{i},{i},c{i}" for i in range(1, count + 1))])


edits = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["", "", ",", "\n", "\r", "\r\n", ";", " ", "x", "é", "7"])),
    min_size=1,
    max_size=8,
)


def corrupted(content: str, changes: list[tuple[float, str]]) -> str:
    """Below the header: at each place a character is replaced by what the change says, or taken away."""
    characters = list(content)
    for place, new in changes:
        characters[len(HEADER) + 1 + int(place * (len(content) - len(HEADER) - 2))] = new
    return "".join(characters)


@QUICK
@given(st.integers(1, 12), edits)
def test_no_line_is_lost_and_no_value_is_shifted(count: int, changes: list[tuple[float, str]]):
    """Of a damaged file without quotes each line is a row, as it stands, or set aside as it was received."""
    content = corrupted(a_file(count), changes)
    result = read_rows(io.BytesIO(content.encode()), "k", CONTRACT)
    lines = {number: line for number, line in enumerate(lines_of(content), 1) if line and number > 1}
    aside = {row.line_number: row.text for row in result.unparsable}
    read = dict(zip(result.line_numbers.tolist(), values(result), strict=True))

    assert aside.keys() | read.keys() == lines.keys()
    assert result.count == len(lines) == len(aside) + len(read)
    assert aside == {number: lines[number] for number in aside}
    for number, (name, age, city) in read.items():
        assert lines[number] == f"{name or ''},{'' if age is None else age},{city or ''}"


quoted_edits = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(['"', '"', '""', '",', ',"', '"\n', "\n", ",", "", "x"])),
    min_size=1,
    max_size=8,
)


@settings(QUICK, max_examples=250)
@given(st.integers(1, 8), quoted_edits)
def test_every_line_belongs_to_one_row(count: int, changes: list[tuple[float, str]]):
    """With quotes gone astray the file is rejected, or its rows and rejects cover each line exactly once.

    And each row says what its own lines say, read by themselves.
    """
    content = corrupted(a_file(count), changes)
    try:
        result = read_rows(io.BytesIO(content.encode()), "k", CONTRACT)
    except FileRejected as error:
        assert "not closed" in error.problem  # noqa: PT017  only one of many outcomes
        return
    lines = lines_of(content)
    covered = [
        *(
            number
            for start, taken in zip(result.line_numbers.tolist(), result.line_counts.tolist(), strict=True)
            for number in range(start, start + taken)
        ),
        *(
            number
            for row in result.unparsable
            for number in range(row.line_number, row.line_number + len(lines_of(row.text)))
        ),
    ]

    assert len(covered) == len(set(covered))
    assert {n for n, line in enumerate(lines, 1) if line and n > 1} <= set(covered)
    for position, found in enumerate(values(result)):
        alone = read_rows(io.BytesIO(f"{HEADER}\n{result.texts_of([position])[0]}".encode()), "k", CONTRACT)
        assert values(alone) == [found]
