"""Sample employee files: a first day, the next day of the same company, and either with planted faults.

    python -m scripts.sample_data --rows 1034 --date 2026-11-24 --seed 7 --out employees.csv
    python -m scripts.sample_data --date 2026-11-25 --day next --fault age_230 --out employees.csv

Whatever is planted or changed is reported as data, so that a demo or a test can assert on it.
Files are written in blocks: ten million rows take little more memory than one million.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import typer

from scripts.sample_people import COLUMNS, people_in_blocks


class Day(StrEnum):
    """`next` is the company of `first` one day later: some salaries are changed, some people hired."""

    FIRST = "first"
    NEXT = "next"


class Fault(StrEnum):
    AGE_230 = "age_230"
    UNKNOWN_DEPARTMENT = "unknown_department"
    NEGATIVE_SALARY = "negative_salary"
    MISSING_COLUMN = "missing_column"
    DUPLICATE_KEY = "duplicate_key"
    CHANGED_SALARY = "changed_salary"
    RENAMED_COLUMN = "renamed_column"


# The column that a fault is in, and what it makes of its text; None takes the field away.
_SPOILT: dict[Fault, tuple[str, Callable[[str], str | None]]] = {
    Fault.AGE_230: ("age", lambda text: "230"),
    Fault.UNKNOWN_DEPARTMENT: ("department", lambda text: "Astrology"),
    Fault.NEGATIVE_SALARY: ("salary", lambda text: f"-{text}"),
    Fault.MISSING_COLUMN: ("department", lambda text: None),
    Fault.CHANGED_SALARY: ("salary", lambda text: str(int(text) + 5000)),
}
# A file with a renamed column is rejected whole, so its other faults would not show.
ROW_FAULTS = tuple(fault for fault in Fault if fault is not Fault.RENAMED_COLUMN)


@dataclass(frozen=True, slots=True)
class Person:
    """The key of a row, as it is without the fault."""

    first_name: str
    last_name: str
    age: int


@dataclass(frozen=True, slots=True)
class Planted:
    """One fault of a file, the line it is on (the header is line 1), and what it replaced.

    A fault of the header has no person. A duplicate is a second copy of a line; `before` is its number.
    """

    fault: Fault
    line_number: int
    person: Person | None
    before: str
    after: str


@dataclass(slots=True)
class SampleReport:
    """What a file holds; complete when the file is written. `rows` counts every line but the header.

    `changed` and `hired` count the people that differ from the day before; a planted fault is in neither.
    """

    rows: int = 0
    changed: int = 0
    hired: int = 0
    planted: list[Planted] = field(default_factory=list)

    def planted_at(self, fault: Fault) -> Planted:
        return next(planted for planted in self.planted if planted.fault is fault)


@dataclass(frozen=True, slots=True)
class Sample:
    content: bytes
    report: SampleReport


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make one file. `rows` counts the people of the first day; on the next day `hires` join them.

    On the next day one person in `change_every` has another salary. Faults never fall on those people, nor on
    those hired, so a planted fault changes one row of the file and one outcome.
    """

    rows: int = 1034
    date: date = date(2026, 11, 24)
    seed: int = 7
    day: Day = Day.FIRST
    faults: Sequence[Fault] = ()
    change_every: int = 100
    hires: int = 6


def make_sample(recipe: Recipe) -> Sample:
    """A file in memory; for one that does not fit there is `write_sample`."""
    file = io.BytesIO()
    report = write_sample(recipe, file)
    return Sample(file.getvalue(), report)


def write_sample(recipe: Recipe, file: BinaryIO) -> SampleReport:
    report = SampleReport()
    header = list(COLUMNS)
    if Fault.RENAMED_COLUMN in recipe.faults:
        header[header.index("salary")] = "annual_salary"
        report.planted.append(Planted(Fault.RENAMED_COLUMN, 1, None, "salary", "annual_salary"))
    file.write(f"{','.join(header)}\n".encode())
    for block, is_settled in _blocks(recipe, report):
        lines = _csv_lines(block)
        if report.rows == 0:
            lines = _plant(recipe.faults, lines, np.flatnonzero(is_settled), report)
        one_list = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
        file.write(pc.binary_join(one_list, "\n")[0].as_buffer())
        file.write(b"\n")
        report.rows += len(lines)
    return report


def _blocks(recipe: Recipe, report: SampleReport) -> Iterator[tuple[pa.Table, np.ndarray]]:
    """The rows, and for each whether it is neither changed nor hired."""
    if recipe.day is Day.FIRST:
        for block in people_in_blocks(recipe.rows, recipe.date, recipe.seed):
            yield block, np.ones(len(block), dtype=bool)
        return
    start, everybody = 0, recipe.rows + recipe.hires
    for block in people_in_blocks(everybody, recipe.date - timedelta(days=1), recipe.seed):
        number = np.arange(start, start + len(block))
        is_hired = number >= recipe.rows
        is_changed = (number % recipe.change_every == recipe.change_every - 1) & ~is_hired
        report.changed += int(is_changed.sum())
        report.hired += int(is_hired.sum())
        raised = pc.if_else(pa.array(is_changed), _raised(block["salary"]), block["salary"])
        hired_on = pc.if_else(pa.array(is_hired), pa.scalar(recipe.date), block["hire_date"])
        block = block.set_column(COLUMNS.index("salary"), "salary", raised)
        yield block.set_column(COLUMNS.index("hire_date"), "hire_date", hired_on), ~(is_changed | is_hired)
        start += len(block)


def _raised(salary: pa.ChunkedArray) -> pa.ChunkedArray:
    """About 4 % more, in whole tens."""
    return pc.multiply(pc.divide(pc.multiply(salary, 104), 1000), 10)


def _csv_lines(rows: pa.Table) -> pa.StringArray:
    """One line of CSV a row, quoted only where a value needs it."""
    texts = [column.cast(pa.string()) for column in rows.itercolumns()]
    for position, name in enumerate(COLUMNS):
        if name == "job_title":  # the one column of which some values hold a comma
            quoted = pc.binary_join_element_wise('"', texts[position], '"', "")
            texts[position] = pc.if_else(pc.match_substring(texts[position], ","), quoted, texts[position])
    return pc.binary_join_element_wise(*texts, ",").combine_chunks()


def _plant(faults: Sequence[Fault], lines: pa.Array, settled: np.ndarray, report: SampleReport) -> pa.Array:
    """The lines of the first block with the faults of rows, spread evenly over people who did not change."""
    chosen = [fault for fault in ROW_FAULTS if fault in faults]
    if not chosen:
        return lines
    if len(settled) < 2 * len(chosen):
        raise ValueError(f"{len(chosen)} faults need a file of at least {2 * len(chosen)} unchanged people")
    texts = lines.to_pylist()
    places = settled[np.linspace(0, len(settled), len(chosen), endpoint=False, dtype=int) + 1]
    for fault, place in zip(chosen, places.tolist(), strict=True):
        fields = next(csv.reader([texts[place]]))
        person = Person(fields[0], fields[1], int(fields[2]))
        if fault is Fault.DUPLICATE_KEY:
            texts.append(texts[place])
            report.planted.append(Planted(fault, len(texts) + 1, person, str(place + 2), texts[place]))
            continue
        before, after, fields = _spoil(fault, fields)
        texts[place] = _line(fields)
        report.planted.append(Planted(fault, place + 2, person, before, after))
    return pa.array(texts)


def _spoil(fault: Fault, fields: list[str]) -> tuple[str, str, list[str]]:
    """What stood there, what stands there now, and the whole row."""
    name, spoilt = _SPOILT[fault]
    place = COLUMNS.index(name)
    before, after = fields[place], spoilt(fields[place])
    return before, after or "", [*fields[:place], *([] if after is None else [after]), *fields[place + 1 :]]


def _line(fields: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()


def main(
    out: Annotated[Path, typer.Option(help="Where the CSV goes.")],
    rows: Annotated[int, typer.Option(help="People on the first day.")] = 1034,
    on: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="The date the file is for: today.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed, other people.")] = 7,
    day: Annotated[Day, typer.Option(help="`next`: the same people one day later.")] = Day.FIRST,
    fault: Annotated[list[Fault] | None, typer.Option(help="A fault to plant; can be repeated.")] = None,
    change_every: Annotated[int, typer.Option(help="Next day: one salary in so many changes.")] = 100,
    hires: Annotated[int, typer.Option(help="Next day: people who join.")] = 6,
) -> None:
    """Write a sample employee file, and print what is in it as JSON."""
    made_for = on.date() if on else date.today()
    recipe = Recipe(rows, made_for, seed, day, tuple(fault or ()), change_every, hires)
    with out.open("wb") as file:
        report = write_sample(recipe, file)
    typer.echo(json.dumps(asdict(report), ensure_ascii=False, indent=2))


if __name__ == "__main__":
    typer.run(main)
