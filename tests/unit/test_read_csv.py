"""Reading CSV strictly: a value as it stands, or its row set aside, or the file rejected."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from builders import a_contract, a_csv

from etl.custom_properties import CsvFormat
from etl.errors import FileRejected
from etl.steps.read_csv import ReadRows, read_rows

PEOPLE = a_contract(name="string", age="bigint")


def read(data: bytes, key: str = "employee/x.csv", **csv: str) -> ReadRows:
    return read_rows(BytesIO(data), key, replace(PEOPLE, csv=CsvFormat(**csv)))


def values(result: ReadRows) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in result.rows.to_pylist()]


def set_aside(result: ReadRows) -> list[tuple[int, str, str]]:
    return [(row.line_number, row.reason, row.text) for row in result.unparsable]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("tail", ["", "end"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_lines_end_in_lf_crlf_or_cr(end: str, tail: str, quote: str):
    """All three line ends read alike, with or without one at the end of the file, quoted or not."""
    text = end.join(["name,age", f"{quote}Zoë{quote},30", "", "Jean-Luc,41", ",", "short"])
    result = read((text + (end if tail else "")).encode())

    assert values(result) == [("Zoë", 30), ("Jean-Luc", 41), (None, None)]
    assert result.line_numbers.tolist() == [2, 4, 5]
    assert set_aside(result) == [(6, "1 fields where the header has 2", "short")]
    assert result.count == 4


@pytest.mark.parametrize("quote", ["", '"'])
def test_byte_order_mark_is_no_part_of_the_first_name(quote: str):
    """A file that Windows wrote begins with a byte order mark, which is dropped."""
    data = b"\xef\xbb\xbf" + a_csv(f"{quote}name{quote},age", "Zoë,30")

    assert values(read(data)) == [("Zoë", 30)]


@pytest.mark.parametrize("row", ["Zoë", "Zoë,30,Paris", "Zoë,30,"])
@pytest.mark.parametrize("elsewhere", ["plain,1", '"quoted",1'])
def test_ragged_rows_are_kept_as_received(row: str, elsewhere: str):
    """A short or a long row is unparsable, whole, with its line; the rows around it are read."""
    result = read(a_csv("name,age", "Ann,1", row, elsewhere))

    assert set_aside(result) == [(3, f"{row.count(',') + 1} fields where the header has 2", row)]
    assert [age for _, age in values(result)] == [1, 1]


@pytest.mark.parametrize(
    ("text", "value"),
    [("42", 42), ("-7", -7), ("0", 0), ("9223372036854775807", 2**63 - 1), ("", None)],
)
def test_integers_as_they_stand(text: str, value: int | None):
    """Plain integers of 64 bits are read, and an empty field is null."""
    assert values(read(a_csv("name,age", f"Zoë,{text}"))) == [("Zoë", value)]


@pytest.mark.parametrize(
    "text",
    [
        "1e3",
        " 42",
        "42 ",
        "+1",
        "007",
        "1.0",
        "1_000",
        "NaN",
        "null",
        "١٢",
        "0x1F",
        "-0",
        "--1",
        "9223372036854775808",
        '"1,234"',
        '"42\n"',
        "1e400",
    ],
)
def test_what_only_looks_like_an_integer(text: str):
    """Nothing is coerced: a field that is no integer as it stands makes its row unparsable, byte for byte."""
    result = read(a_csv("name,age", "Ann,1", f"Zoë,{text}", "Bob,2"))

    assert values(result) == [("Ann", 1), ("Bob", 2)]
    assert set_aside(result) == [(3, "age is no bigint", f"Zoë,{text}")]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("timestamp", "2026-11-24T10:00:00", datetime(2026, 11, 24, 10)),
        ("timestamp", "2026-11-24 10:00:00.25", datetime(2026, 11, 24, 10, 0, 0, 250_000)),
        ("decimal(6,2)", "-1234.5", Decimal("-1234.50")),
        ("double", "1.5e3", 1500.0),
        ("boolean", "true", True),
    ],
)
def test_other_types_as_they_stand(kind: str, text: str, value: Any):
    """Dates are ISO 8601, decimals exact, booleans `true` and `false`."""
    assert values(read_rows(BytesIO(a_csv("a,b", f"x,{text}")), "k", a_contract(a="string", b=kind))) == [
        ("x", value)
    ]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *(("date", text) for text in ("2026-02-30", "24.11.2026", "11/24/2026", "2026-1-2", "20261124")),
        *(("date", text) for text in ("2026-11-24T00:00:00", "0000-01-01", "12026-01-01", "today")),
        *(("timestamp", text) for text in ("2026-11-24", "2026-11-24 24:00:00", "0000-01-01 00:00:00")),
        ("timestamp", "2026-11-24 10:00:00Z"),
        *(("decimal(6,2)", text) for text in ("1.234", "12345.00", "1e2", "NaN", ".5")),
        *(("double", text) for text in ("NaN", "inf", "-Infinity", "1e999", "-1e999", "1.", "0x1p3")),
        *(("boolean", text) for text in ("True", "1", "yes", "t")),
    ],
)
def test_values_that_would_have_to_be_guessed(kind: str, text: str):
    """A value that the type cannot hold exactly, or that is written another way, is set aside."""
    result = read_rows(BytesIO(a_csv("a,b", f"x,{text}")), "k", a_contract(a="string", b=kind))

    assert values(result) == []
    assert set_aside(result) == [(2, f"b is no {kind}", f"x,{text}")]


def test_one_bad_date_among_many_costs_one_row():
    """A day that no calendar has is found among good ones; the rows keep their order."""
    days = [f"2026-01-{day:02}" for day in range(1, 32)]
    days[17] = "2026-01-32"
    result = read_rows(BytesIO(a_csv("a", *days)), "k", a_contract(a="date"))

    assert result.rows["a"].to_pylist() == [date(2026, 1, day) for day in range(1, 32) if day != 18]
    assert set_aside(result) == [(19, "a is no date", "2026-01-32")]


def test_all_columns_that_misfit_are_named():
    """The reason names every column at fault, never a value."""
    contract = a_contract(a="bigint", b="string", c="date")
    result = read_rows(BytesIO(a_csv("a,b,c", "secret,x,2026-13-01")), "k", contract)

    assert result.unparsable[0].reason == "a is no bigint; c is no date"


def test_line_numbers_after_quoted_newlines():
    """Numbers are of physical lines, and a row over several lines gives back all its text."""
    result = read(a_csv("name,age", '"Zoë\nNúñez",1', "Ann,x", '"a\r\nb","2"', "", "Bob,3", '"c\n\nd"'))

    assert values(result) == [("Zoë\nNúñez", 1), ("a\r\nb", 2), ("Bob", 3)]
    assert result.line_numbers.tolist() == [2, 5, 8]
    assert result.texts_of(range(3)) == ['"Zoë\nNúñez",1', '"a\r\nb","2"', "Bob,3"]
    assert [(row.line_number, row.text) for row in result.unparsable] == [(4, "Ann,x"), (9, '"c\n\nd"')]


def test_quotes_protect_delimiters_and_quotes():
    """Quoted delimiters belong to the value, doubled quotes are one, a quote in a bare field is itself."""
    result = read(a_csv("name,age", '"Núñez, Zoë",1', '"the ""great""",2', '5" pipe,3', '"",4'))

    assert values(result) == [("Núñez, Zoë", 1), ('the "great"', 2), ('5" pipe', 3), (None, 4)]


def test_text_after_a_closing_quote():
    """A quote closed in the middle of a field makes that row unparsable, and no other."""
    result = read(a_csv("name,age", '"Zoë" Núñez,1', "Ann,2"))

    assert values(result) == [("Ann", 2)]
    assert [(row.line_number, row.text) for row in result.unparsable] == [(2, '"Zoë" Núñez,1')]


@pytest.mark.parametrize(
    "rows",
    [
        ('"Zoë,30', "Ann,2", "Bob,3"),  # to the end of the file
        ('"Zoë,30', 'Ann,"2"', "Bob,3"),  # as far as the next quote, which then is misplaced
        ('"Zoë" N,"30', 'Ann",2', "Bob,3"),  # behind a misplaced quote: what follows may be half a row
    ],
)
def test_a_quote_left_open_rejects_the_file(rows: tuple[str, ...]):
    """Where a quote is open at the end of its line by mistake, rows may be swallowed, so none is used."""
    with pytest.raises(FileRejected, match="line 2"):
        read(a_csv("name,age", *rows))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf", "column name, age is missing"),
        (b"\n\n", "column name, age is missing"),
        (a_csv("Zoë,30"), "column name, age is missing.*2 of its 2 columns are not in the contract"),
        (a_csv("name,name", "a,1"), "a column stands twice in the header: name; column age is missing"),
        (a_csv("name,age,age", "a,1,2"), "a column stands twice in the header: age"),
        (a_csv("name,years", "a,1"), "column age is missing from the header; 1 of its 2 columns"),
        (a_csv("name", "a"), "column age is missing"),
        (a_csv("name,age,city", "a,1,b"), "1 of its 3 columns are not in the contract"),
        (a_csv("name;age", "a;1"), "column name, age is missing"),
        (a_csv("Name,age", "a,1"), "column name is missing"),
        (a_csv(" name,age", "a,1"), "column name is missing"),
        (a_csv('name,"age', "a,1"), r"line 1 \(the header\) cannot be read"),
        (a_csv("name,age", "Zoë,1", "A\0nn,2"), r"byte 18 \(line 3\) is NUL"),
        (a_csv("name,age") + "Zoë,1".encode("latin-1"), r"byte 12 \(line 2\) is not utf-8"),
        (a_csv("name,age", "Zoë,1").decode().encode("utf-16"), r"byte 1 \(line 1\) is not utf-8"),
    ],
)
def test_files_that_are_not_what_the_contract_says(data: bytes, problem: str):
    """The whole file is rejected, and the reason says where and why without quoting it."""
    with pytest.raises(FileRejected, match=problem) as rejected:
        read(data)

    assert "Zo" not in str(rejected.value)


def test_header_alone_is_a_file_without_rows():
    """A header with nothing under it has no rows; whether that is acceptable is the suite's to say."""
    for data in (b"name,age", a_csv("name,age"), a_csv('"name",age'), a_csv("name,age", "", "")):
        assert read(data).count == 0
        assert read(data).rows.schema.names == ["name", "age"]


def test_reordered_columns_are_matched_by_name():
    """Columns in another order are read by their names; the order stays, for the suite to judge."""
    result = read(a_csv("age,name", "30,Zoë", "x"))

    assert result.rows.to_pylist() == [{"age": 30, "name": "Zoë"}]
    assert result.rows.column_names == ["age", "name"]


def test_a_header_that_is_a_row_is_not_quoted():
    """Of a file without a header, the first row's values are counted and never told."""
    with pytest.raises(FileRejected) as rejected:
        read(a_csv("Thomas,Thomas", "Ann,30"))
    assert "Thomas" not in str(rejected.value)


def test_the_contract_names_delimiter_quote_and_encoding():
    """Another delimiter, quote or encoding is read when, and only when, the contract says so."""
    data = "name;age\n'Zoë; N';30\n5\" pipe;1\n".encode("latin-1")

    read_so = read(data, delimiter=";", quote="'", encoding="latin-1")
    assert values(read_so) == [("Zoë; N", 30), ('5" pipe', 1)]
    assert values(read("name,age\nZoë,30".encode("utf-16"), encoding="utf-16")) == [("Zoë", 30)]


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_field_of_a_megabyte(quote: str):
    """Long fields are read whole."""
    name = "Zoë" * 350_000

    assert values(read(a_csv("name,age", f"{quote}{name}{quote},1"))) == [(name, 1)]


@pytest.mark.parametrize(
    ("odd", "value", "reason"),
    [
        ('5" pipe,7', '5" pipe', None),
        ('a"b"c,7', 'a"b"c', None),
        ('"a""b",7', 'a"b', None),
        ('"Zoë" N,7', None, "misplaced quote"),
    ],
)
def test_a_stray_quote_spoils_no_other_row(odd: str, value: str | None, reason: str | None):
    """Wherever a quote stands that is none, or should not, the rows around it are read as without it."""
    before, after = ([f'"n{i}",{i}' for i in numbers] for numbers in (range(150), range(150, 300)))
    result = read_rows(BytesIO(a_csv("name,age", *before, odd, *after)), "k", PEOPLE, block_bytes=200)
    around = [(f"n{i}", i) for i in range(300)]
    lines = [*before, *([odd] if value else []), *after]

    assert values(result) == [*around[:150], *([(value, 7)] if value else []), *around[150:]]
    assert result.texts_of(range(len(lines))) == lines
    assert [(row.line_number, row.text) for row in result.unparsable] == ([] if value else [(152, odd)])
    assert all(row.reason.startswith(reason or "") for row in result.unparsable)


def test_texts_are_as_received():
    """Nothing of a row's text is trimmed, turned or doubled; only its line end goes."""
    odd = [" Zoë ,x", "a\tb,\u00a01", '"a""b" ,1', "\u2028,\v", "\ufeffa,b", ",,  "]
    good = ["e\u0301,", ' "Zoë" ,1', '"","2"']
    result = read(a_csv("name,age", *odd, *good, end="\r\n"))

    assert [row.text for row in result.unparsable] == odd
    assert result.texts_of([0, 1, 2]) == good


def test_both_ways_of_reading_agree():
    """A file without quotes reads as the same file with one value quoted, in rows, lines and rejects."""
    lines = ["name,age", "Zoë,30", "", "Ann", "Bob,2,3", " ,7", ",", "Carl,x", "O'Brien,5", "", "last,6"]
    plain = read(a_csv(*lines))
    quoted = read(a_csv(*(line.replace("O'Brien", '"O\'Brien"') for line in lines)))

    assert plain.rows == quoted.rows
    assert plain.unparsable == quoted.unparsable
    assert plain.line_numbers.tolist() == quoted.line_numbers.tolist() == [2, 6, 7, 9, 11]
    assert plain.line_counts.tolist() == quoted.line_counts.tolist()
    assert plain.texts_of(range(5)) == ["Zoë,30", " ,7", ",", "O'Brien,5", "last,6"]
