"""Files with a canary in every private field, for each thing that can become of a row or a file."""

import csv
import gzip
import io
from collections.abc import Callable, Iterator
from datetime import date

from etl.contract import Contract
from etl.quality.redaction import private_columns
from scripts.sample_data import Recipe, make_sample
from tests.e2e.canary_search import FOREIGN_STEM, STEM, Canaries

Row = dict[str, str]
FULL = 700  # rows; the suite takes fewer than 500 for a file that was cut short
_FOREIGN_EVERY = 5

# A bad value of a column that is open, by what is wrong with it.
_BAD_OPEN: dict[str, Row] = {
    "an impossible age": {"age": "230"},
    "no age": {"age": ""},
    "an unknown department": {"department": "Astrology"},
    "a short title": {"job_title": "x"},
    "a negative salary": {"salary": "-5"},
    "a hire date in the future": {"hire_date": "2199-01-01"},
    "a hire date long ago": {"hire_date": "1801-01-01"},
    "a hire date in childhood": {"age": "20", "hire_date": "1990-01-01"},
}
# A bad value of a private column, made of its canary.
_BAD_PRIVATE: dict[str, Callable[[str], str]] = {
    "no name": lambda canary: "",
    "too long a name": lambda canary: canary * 6,
    "a digit in the name": lambda canary: f"{canary}9",
    "a space before the name": lambda canary: f" {canary}",
    "markup in the name": lambda canary: f"<b onclick=alert(1)>{canary}</b>",
    "a format in the name": lambda canary: f"%s{canary}%(x)d{{0}}${{x}}",
    "a backslash in the name": lambda canary: f"\\N{canary}\\",
}
_BAD_QUOTED: dict[str, Callable[[str], str]] = {
    "a comma in the name": lambda canary: f"{canary},, Jr",
    "a quote in the name": lambda canary: f'O"{canary}"',
    "a line end in the name": lambda canary: f"{canary}\r\n{canary}",
}
_MISFIT: dict[str, Row] = {
    "a fractional salary": {"salary": "12.5"},
    "a German date": {"hire_date": "24.11.2026"},
    "an exponent": {"age": "3e1"},
}


class CanaryFiles:
    """Each method makes one file, all of whose private fields are canaries of their own."""

    def __init__(self, canaries: Canaries, contract: Contract):
        self._canaries = canaries
        self.columns = contract.column_names
        self.private = tuple(name for name in contract.column_names if name in private_columns(contract))

    def people(self, case: str, day: date, count: int = FULL) -> list[Row]:
        """Good rows; some of their canaries are without a single ASCII letter."""
        rows = _sample(day, count)
        for number, row in enumerate(rows):
            self._fill(row, f"a row of {case}", STEM if number % _FOREIGN_EVERY else FOREIGN_STEM)
        return rows

    def of_every_kind(self, people: list[Row], day: date) -> bytes:
        """Good, bad, duplicate and unparsable rows, in a file without a quote."""
        case = "the file without quotes"
        bad = [self._bad(case, day, what, changes) for what, changes in _BAD_OPEN.items()]
        bad += list(self._bad_private(case, day, _BAD_PRIVATE))
        bad += [self._bad(case, day, what, changes) for what, changes in _MISFIT.items()]
        twice = [people[10], people[11] | {"salary": "50001"}]
        lines = [*_lines([*people, *bad, *twice])]
        short, long = _lines(self._some(f"ragged rows of {case}", day, 2))
        return _file([_header(people), *lines, short.rpartition(",")[0], f"{long},more"])

    def with_quotes(self, people: list[Row], day: date) -> bytes:
        """The day after: changed, new, bad and unparsable rows, one a year older; it needs quotes."""
        case = "the file with quotes"
        changed = [row | {"salary": str(int(row["salary"]) + 10)} for row in people[::3]]
        grown, *same = [row for number, row in enumerate(people) if number % 3]
        grown = grown | {"age": str(int(grown["age"]) + 1)}
        new = self._some(f"new rows of {case}", day, 5)
        bad = self._bad_private(case, day, _BAD_QUOTED | _BAD_PRIVATE)
        misplaced = _line(self._some(f"a misplaced quote in {case}", day, 1)[0])
        lines = _lines([*changed, grown, *same, *new, *bad])
        return _file([_header(people), *lines, f'"{self._new("a misplaced quote", case)}"x{misplaced}'])

    def too_short(self, day: date) -> bytes:
        return self._plain("a file that a critical expectation rejects", day, count=100)

    def too_bad(self, day: date) -> bytes:
        case = "a file with too many bad rows"
        people = self.people(case, day)
        for row in people[::4]:
            row[self.private[0]] += "9"
        return _file([_header(people), *_lines(people)])

    def wrong_encoding(self, day: date) -> bytes:
        return self._spoilt("a file in another encoding", day, lambda name: name.encode() + b"\xe9")

    def with_nul(self, day: date) -> bytes:
        return self._spoilt("a file with a NUL byte", day, lambda name: name.encode() + b"\0")

    def unclosed_quote(self, day: date) -> bytes:
        return self._spoilt("a file with an unclosed quote", day, lambda name: b'"' + name.encode())

    def without_header(self, day: date) -> bytes:
        people = self.people("a file without a header", day)
        return _file(_lines(people))

    def renamed_header(self, day: date) -> bytes:
        """Names stand where the header should, twice one and once another."""
        case = "a file with names in its header"
        people = self.people(case, day)
        twice, once = self._new("header", case), self._new("header", case)
        rest = _header(people).split(",")[3:]
        return _file([",".join([twice, twice, once, *rest]), *_lines(people)])

    def broken_gzip(self, day: date) -> bytes:
        return gzip.compress(self._plain("a truncated gzip file", day))[:-200]

    def for_a_broken_check(self, case: str, day: date) -> bytes:
        return self._plain(case, day)

    def _plain(self, case: str, day: date, count: int = FULL) -> bytes:
        people = self.people(case, day, count)
        return _file([_header(people), *_lines(people)])

    def _spoilt(self, case: str, day: date, spoil: Callable[[str], bytes]) -> bytes:
        """A good file, in the middle of which one private field is spoilt."""
        whole = self._plain(case, day)
        (row,) = self._some(f"the spoilt row of {case}", day, 1)
        name = row[self.private[-1]]
        middle = whole.index(b"\n", len(whole) // 2) + 1
        line = f"{_line(row)}\n".encode().replace(name.encode(), spoil(name))
        return whole[:middle] + line + whole[middle:]

    def _bad(self, case: str, day: date, what: str, changes: Row) -> Row:
        return self._some(f"a row with {what}, in {case}", day, 1)[0] | changes

    def _bad_private(self, case: str, day: date, kinds: dict[str, Callable[[str], str]]) -> Iterator[Row]:
        for column in self.private:
            for what, spoil in kinds.items():
                row = self._some(f"a row with {what}, in {case}", day, 1)[0]
                yield row | {column: spoil(row[column])}

    def _some(self, case: str, day: date, count: int) -> list[Row]:
        rows = _sample(day, 20)[-count:]
        for row in rows:
            self._fill(row, case)
        return rows

    def _fill(self, row: Row, purpose: str, stem: str = STEM) -> None:
        row |= {column: self._canaries.make(f"{column} of {purpose}", stem) for column in self.private}

    def _new(self, column: str, case: str) -> str:
        return self._canaries.make(f"{column} of {case}")


def _sample(day: date, count: int) -> list[Row]:
    rows = list(csv.DictReader(io.StringIO(make_sample(Recipe(rows=count, date=day)).content.decode())))
    for row in rows:
        row["job_title"] = row["job_title"].replace(",", "")  # or every file would need quotes
    return rows


def _header(people: list[Row]) -> str:
    return ",".join(people[0])


def _lines(rows: list[Row]) -> Iterator[str]:
    return map(_line, rows)


def _line(row: Row) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(row.values())  # with its own line end, or it would not quote one in a value
    return text.getvalue().removesuffix("\r\n")


def _file(lines: Iterator[str] | list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
