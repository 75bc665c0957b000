"""The sample files: what they promise to demos, tests and benchmarks."""

import csv
import io
import unicodedata
from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import pairwise

import duckdb
import pyarrow as pa
import pytest

from scripts.sample_data import ROW_FAULTS, Day, Fault, Recipe, Sample, make_sample
from scripts.sample_people import COLUMNS, KEY, people, people_in_blocks

FIRST = Recipe(date=date(2026, 11, 24))
NEXT = Recipe(date=date(2026, 11, 25), day=Day.NEXT)


def rows_of(sample: Sample) -> list[list[str]]:
    """All lines of the file, the header first; line n is at n - 1."""
    return list(csv.reader(io.StringIO(sample.content.decode())))


def key_of(row: list[str]) -> tuple[str, str, str]:
    return row[0], row[1], row[2]


def test_default_file_is_1034_employees_unique_on_the_key():
    """The file of the day has the contract's columns, 1,034 rows, no empty field and no key twice."""
    header, *rows = rows_of(make_sample(FIRST))

    assert header == list(COLUMNS)
    assert len(rows) == 1034
    assert all(len(row) == len(COLUMNS) and all(row) for row in rows)
    assert len({key_of(row) for row in rows}) == 1034


def test_same_recipe_gives_the_same_bytes():
    """A file is determined by its recipe, and another seed makes other people."""
    assert make_sample(FIRST).content == make_sample(FIRST).content
    assert make_sample(replace(FIRST, seed=8)).content != make_sample(FIRST).content


def test_a_short_file_begins_like_a_long_one():
    """How many people are asked for does not change who they are, even across blocks."""
    assert people(70_000, FIRST.date, 7).slice(0, 1034).equals(people(1034, FIRST.date, 7))


@pytest.mark.parametrize("seed", [0, 7, 99])
def test_names_that_trip_parsers_are_in_every_file(seed: int):
    """Diacritics, an apostrophe and a hyphen are in every file, however short."""
    sample = people(2, FIRST.date, seed).to_pydict()

    assert sample["first_name"] == ["Zoë", "Jean-Luc"]
    assert sample["last_name"] == ["Núñez", "O'Brien"]


def test_names_are_in_many_scripts():
    """The file has names in nine scripts, so nothing that assumes Latin letters passes unnoticed."""
    letters = "".join(people(1034, FIRST.date, 7)["first_name"].to_pylist())
    scripts = {unicodedata.name(letter).split()[0] for letter in letters if letter.isalpha()}

    assert scripts >= {
        "LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "CJK", "HIRAGANA", "HANGUL", "DEVANAGARI",
    }  # fmt: skip


def test_some_values_need_quotes():
    """Job titles with a comma are in the file, quoted, so that reading it needs a real CSV parser."""
    assert b'"Team Lead, Customer Service"' in make_sample(FIRST).content


def test_careers_are_possible():
    """Nobody was hired before the age of 16 or after the date of the file."""
    employees = people(50_000, FIRST.date, 7)  # noqa: F841  DuckDB reads it
    impossible = duckdb.sql(
        "select count(*) from employees where hire_date > date '2026-11-24'"
        " or age - date_sub('year', hire_date, date '2026-11-24') < 16"
    )

    assert impossible.fetchall() == [(0,)]


def test_pay_rises_with_seniority():
    """Within a department, each step of the ladder is paid better in the mean than the one below."""
    employees = people(50_000, FIRST.date, 7)  # noqa: F841  DuckDB reads it
    ladder = ["Apprentice Developer", "Junior Software Engineer", "Software Engineer"]
    ladder += ["Senior Software Engineer", "Staff Engineer", "Engineering Director"]
    means = dict(duckdb.sql("select job_title, avg(salary) from employees group by all").fetchall())

    assert all(means[lower] < means[higher] for lower, higher in pairwise(ladder))


@pytest.mark.parametrize("rows", [65_536, 65_537, 300_000])
def test_keys_stay_unique_when_simple_names_run_out(rows: int):
    """Names are composed when a script's simple ones are used up; no key repeats, in any block."""
    table = people(rows, FIRST.date, 7)

    assert table.num_rows == rows
    assert table.group_by(KEY).aggregate([]).num_rows == rows


def test_large_files_are_made_in_blocks():
    """Memory for a large file is that of a block, not of the file."""
    before, sizes = pa.total_allocated_bytes(), []
    for block in people_in_blocks(300_000, FIRST.date, 7):
        sizes.append(len(block))
        assert pa.total_allocated_bytes() - before < 100e6

    assert sum(sizes) == 300_000
    assert max(sizes) == 65_536


def test_more_people_than_names_is_refused():
    """Asking for more people than can be told apart is an error, not a file with duplicates."""
    with pytest.raises(ValueError, match="30,000,000"):
        people(30_000_001, FIRST.date, 7)


def test_next_day_is_the_same_company():
    """The next day has everybody of the first, `changed` other salaries, and `hired` new people."""
    first = {key_of(row): row for row in rows_of(make_sample(FIRST))[1:]}
    sample = make_sample(NEXT)
    following = {key_of(row): row for row in rows_of(sample)[1:]}
    changed = [key for key, row in first.items() if following[key] != row]

    assert len(changed) == sample.report.changed == 10
    assert {
        first[key][:5] + first[key][6:] == following[key][:5] + following[key][6:] for key in changed
    } == {True}
    assert len(following.keys() - first.keys()) == sample.report.hired == 6
    assert {following[key][6] for key in following.keys() - first.keys()} == {"2026-11-25"}


def test_every_fault_is_on_the_line_that_the_report_says():
    """The report names the line and the person of each fault, and nothing else in the file differs."""
    clean, sample = rows_of(make_sample(NEXT)), make_sample(replace(NEXT, faults=ROW_FAULTS))
    rows = rows_of(sample)
    planted = {fault: sample.report.planted_at(fault) for fault in ROW_FAULTS}
    found = {fault: rows[at.line_number - 1] for fault, at in planted.items()}

    assert found[Fault.AGE_230][2] == "230"
    assert found[Fault.UNKNOWN_DEPARTMENT][3] == "Astrology"
    assert found[Fault.NEGATIVE_SALARY][5] == f"-{planted[Fault.NEGATIVE_SALARY].before}"
    assert len(found[Fault.MISSING_COLUMN]) == len(COLUMNS) - 1
    assert found[Fault.CHANGED_SALARY][5] == str(int(planted[Fault.CHANGED_SALARY].before) + 5000)
    assert found[Fault.DUPLICATE_KEY] == rows[int(planted[Fault.DUPLICATE_KEY].before) - 1]
    assert len(rows) == len(clean) + 1 == sample.report.rows + 1
    differing = {number for number, (a, b) in enumerate(zip(clean, rows, strict=False), 1) if a != b}
    assert differing == {at.line_number for f, at in planted.items() if f is not Fault.DUPLICATE_KEY}
    for fault, at in planted.items():
        if fault is not Fault.DUPLICATE_KEY:
            who = (at.person.first_name, at.person.last_name, str(at.person.age))
            assert key_of(clean[at.line_number - 1]) == who


def test_faults_do_not_fall_on_people_who_changed():
    """A fault changes one outcome of a run: it never sits on a changed salary or on somebody new."""
    first = {tuple(row) for row in rows_of(make_sample(FIRST))}
    clean = rows_of(make_sample(NEXT))
    report = make_sample(replace(NEXT, faults=ROW_FAULTS)).report

    assert all(
        tuple(clean[at.line_number - 1]) in first for at in report.planted if at.line_number <= len(clean)
    )


def test_only_the_duplicate_repeats_a_key():
    """With all faults planted exactly one key stands twice."""
    keys = Counter(key_of(row) for row in rows_of(make_sample(replace(NEXT, faults=ROW_FAULTS))))

    assert sorted(keys.values())[-2:] == [1, 2]


def test_renamed_column_changes_the_header_alone():
    """The rows under a renamed column are those of the clean file."""
    sample = make_sample(replace(NEXT, faults=(Fault.RENAMED_COLUMN,)))
    header, *rows = rows_of(sample)

    assert header == ["annual_salary" if name == "salary" else name for name in COLUMNS]
    assert rows == rows_of(make_sample(NEXT))[1:]
    assert sample.report.planted_at(Fault.RENAMED_COLUMN).line_number == 1


def test_a_file_too_short_for_its_faults_is_refused():
    """Faults that would fall on one another are an error."""
    with pytest.raises(ValueError, match="at least 12"):
        make_sample(replace(FIRST, rows=5, faults=ROW_FAULTS))
