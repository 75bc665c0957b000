"""Bytes of a CSV file → typed rows, and the rows that could not be read.

Strict by the contract: a value is taken as it stands or its row is set aside; nothing is coerced, shifted or
dropped. Files without a quote character (nearly all) are read by Arrow; in others only a parser that knows
physical lines and complains about stray quotes is safe (Arrow swallows the rows after an unclosed quote), so
those go through the standard library's csv module in strict mode.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from etl.contract import Column, Contract, CsvFormat
from etl.errors import FileRejected

_LONGEST_FIELD = 64 * 2**20
# Python, and so PyIceberg, knows no year 0; Arrow does.
_DAY = r"(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-[0-9]{2}-[0-9]{2}"
# What a value must look like before Arrow casts it; Arrow alone would take `+1`, `007` or `1e3`.
_PATTERNS = {
    "bigint": r"^(0|-?[1-9][0-9]*)$",
    "double": r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$",
    "boolean": r"^(true|false)$",
    "date": rf"^{_DAY}$",
    "timestamp": rf"^{_DAY}[T ][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]{{1,6}})?$",
    "decimal": r"^-?[0-9]+(\.[0-9]+)?$",
}


@dataclass(frozen=True, slots=True)
class UnparsableRow:
    """A row that could not be read: where it starts (the header is line 1), why, and its text as received."""

    line_number: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class ReadRows:
    """`rows` has the contract's columns and types, in the file's order; an empty field is null.

    `line_numbers` (int64) and `line_counts` (int64) tell for each row on which line it starts and how many
    it takes.
    """

    rows: pa.Table
    line_numbers: np.ndarray
    line_counts: np.ndarray
    unparsable: tuple[UnparsableRow, ...]
    lines: "Lines"

    @property
    def count(self) -> int:
        return self.rows.num_rows + len(self.unparsable)

    def text_of(self, position: int) -> str:
        return self.lines.text(int(self.line_numbers[position]), int(self.line_counts[position]))


class Lines:
    """The file's physical lines, by number from 1; ended by LF, CRLF or CR."""

    def __init__(self, data: bytes):
        self._data = data
        octets = np.frombuffer(data, np.uint8)
        ends = octets == ord("\n")
        if b"\r" in data:
            bare = octets == ord("\r")
            bare[:-1] &= ~ends[1:]
            ends |= bare
        self._ends = np.flatnonzero(ends) + 1

    def text(self, number: int, count: int = 1) -> str:
        start = int(self._ends[number - 2]) if number > 1 else 0
        last = number + count - 2
        end = int(self._ends[last]) if last < len(self._ends) else len(self._data)
        return self._data[start:end].decode().rstrip("\r\n")


@dataclass(frozen=True, slots=True)
class _Fields:
    """The file as strings, column by column in the header's order, before any typing."""

    columns: Sequence[pa.Array]
    line_numbers: np.ndarray
    line_counts: np.ndarray
    unparsable: list[UnparsableRow]


def read_rows(data: bytes, key: str, contract: Contract) -> ReadRows:
    """Read one file; `key` names it in errors, and `.gz` at its end means gzip.

    Raises FileRejected when the file as a whole is not what the contract says.
    """
    text = _decode(_unzip(data, key) if key.endswith(".gz") else data, key, contract.csv)
    lines = Lines(text)
    header = _read_header(lines, key, contract)
    if contract.csv.quote.encode() in text:
        fields = _read_quoted(text, key, contract.csv, len(header), lines)
    else:
        fields = _read_plain(text, key, contract.csv, header, lines)
    columns = dict(zip(header, fields.columns, strict=True))
    declared = {column.name: column for column in contract.columns}
    typed = {name: _typed(columns[name], declared[name]) for name in header}
    misfit = _misfit_reasons(contract.columns, columns, typed)
    keep = np.ones(len(fields.line_numbers), bool)
    keep[list(misfit)] = False
    unparsable = fields.unparsable + [
        UnparsableRow(
            int(fields.line_numbers[row]),
            reason,
            lines.text(int(fields.line_numbers[row]), int(fields.line_counts[row])),
        )
        for row, reason in misfit.items()
    ]
    return ReadRows(
        rows=pa.table(typed).filter(pa.array(keep)),
        line_numbers=fields.line_numbers[keep],
        line_counts=fields.line_counts[keep],
        unparsable=tuple(sorted(unparsable, key=lambda row: row.line_number)),
        lines=lines,
    )


def _unzip(data: bytes, key: str) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise FileRejected(key, f"not a whole gzip file ({error})") from error


def _decode(data: bytes, key: str, form: CsvFormat) -> bytes:
    """The file as UTF-8 without a byte order mark."""
    if not data:
        raise FileRejected(key, "the file is empty")
    try:
        text = data.decode(form.encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"byte {error.start + 1} (line {line}) is not {form.encoding}"
        raise FileRejected(key, problem) from error
    if (position := text.find("\0")) >= 0:
        raise FileRejected(key, f"line {text.count(chr(10), 0, position) + 1} holds a NUL byte")
    if form.encoding == "utf-8":
        return data.removeprefix(b"\xef\xbb\xbf")
    return text.removeprefix("\ufeff").encode()


def _read_header(lines: Lines, key: str, contract: Contract) -> list[str]:
    try:
        rows = csv.reader(
            [lines.text(1)], delimiter=contract.csv.delimiter, quotechar=contract.csv.quote, strict=True
        )
        header = next(rows, [])
    except csv.Error as error:
        raise FileRejected(key, f"line 1 (the header) cannot be read: {error}") from error
    expected = contract.column_names
    problems = []
    if len({*header}) < len(header):
        twice = sorted({name for name in expected if header.count(name) > 1})
        problems.append(f"a column stands twice in the header: {', '.join(twice) or 'none of the contract'}")
    if missing := [name for name in expected if name not in header]:
        problems.append(f"column {', '.join(missing)} is missing from the header")
    # The header may be a row of data, so unexpected names are counted and not shown.
    if extra := [name for name in header if name not in expected]:
        problems.append(f"{len(extra)} of its {len(header)} columns are not in the contract")
    if problems:
        raise FileRejected(key, "; ".join(problems))
    return header


def _read_plain(text: bytes, key: str, form: CsvFormat, header: list[str], lines: Lines) -> _Fields:
    """A file without quotes: each line is a record."""
    wrong: list[tuple[int, int, str]] = []

    def set_aside(row: arrow_csv.InvalidRow) -> str:
        wrong.append((row.number, row.actual_columns, row.text))
        return "skip"

    body = text[_first_record(text) :]
    columns: list[pa.Array] = [pa.array([], pa.string()) for _ in header]
    if body:
        try:
            table = arrow_csv.read_csv(
                pa.py_buffer(body),
                # Only one thread counts rows for the handler; a block holds the longest field there may be.
                read_options=arrow_csv.ReadOptions(
                    use_threads=False,
                    column_names=header,
                    block_size=min(max(len(body), 1), _LONGEST_FIELD),
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=form.delimiter,
                    quote_char=False,
                    ignore_empty_lines=False,
                    invalid_row_handler=set_aside,
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
                ),
            )
        except pa.ArrowInvalid as error:
            raise FileRejected(key, "cannot be read as CSV") from error  # its message may quote a row
        columns = [column.combine_chunks() for column in table.columns]
    numbers = np.arange(2, len(columns[0]) + len(wrong) + 2)
    wrong_numbers = np.array([number for number, _, _ in wrong], np.int64) + 1
    line_numbers = np.setdiff1d(numbers, wrong_numbers, assume_unique=True)
    unparsable = [
        UnparsableRow(number + 1, _ragged(len(header), found), row.rstrip("\r\n"))
        for number, found, row in wrong
    ]
    blank = _blank_lines(columns, line_numbers, lines)
    columns = [column.filter(pa.array(~blank)) for column in columns]
    line_numbers = line_numbers[~blank]
    return _Fields(columns, line_numbers, np.ones(len(line_numbers), np.int64), unparsable)


def _blank_lines(columns: Sequence[pa.Array], line_numbers: np.ndarray, lines: Lines) -> np.ndarray:
    """Which rows are empty lines, and so no rows: Arrow reads one as a row of empty fields."""
    blank = np.ones(len(line_numbers), bool)
    for column in columns:
        blank &= pc.equal(column, "").to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(blank):
        blank[row] = not lines.text(int(line_numbers[row]))
    return blank


def _first_record(text: bytes) -> int:
    ends = [text.find(end) for end in (b"\r\n", b"\n", b"\r")]
    first = min((end for end in ends if end >= 0), default=len(text))
    return first + (2 if text[first : first + 2] == b"\r\n" else 1)


def _read_quoted(text: bytes, key: str, form: CsvFormat, width: int, lines: Lines) -> _Fields:
    """A file with quotes: a record may take several lines."""
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(
        io.StringIO(text.decode(), newline=""), delimiter=form.delimiter, quotechar=form.quote, strict=True
    )
    next(reader)
    records: list[list[str]] = []
    line_numbers: list[int] = []
    line_counts: list[int] = []
    unparsable: list[UnparsableRow] = []
    while True:
        start = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            # After an odd number of quotes on the line, what follows may be the rest of a value.
            is_open = lines.text(start).count(form.quote) % 2 == 1
            if is_open or reader.line_num > start or "unexpected end" in str(error):
                problem = f"a quote opened on line {start} is not closed where it should be ({error})"
                raise FileRejected(key, problem) from error
            unparsable.append(UnparsableRow(start, f"misplaced quote ({error})", lines.text(start)))
            continue
        count = reader.line_num - start + 1
        if len(record) == width:
            records.append(record)
            line_numbers.append(start)
            line_counts.append(count)
        elif record:
            unparsable.append(UnparsableRow(start, _ragged(width, len(record)), lines.text(start, count)))
    columns = [pa.array([record[i] for record in records], pa.string()) for i in range(width)]
    return _Fields(columns, np.array(line_numbers, np.int64), np.array(line_counts, np.int64), unparsable)


def _ragged(expected: int, found: int) -> str:
    return f"{found} fields where the header has {expected}"


def _typed(values: pa.Array, column: Column) -> pa.Array:
    """Values of the column's type; null where the field is empty or no such value."""
    present = pc.if_else(pc.equal(values, ""), None, values)
    if column.type == "string":
        return present
    fitting = pc.match_substring_regex(present, _PATTERNS[column.type.split("(")[0]])
    cast = _cast_or_null(pc.if_else(fitting, present, None), column.arrow_type)
    if pa.types.is_floating(cast.type):  # Arrow makes infinity of a number that is too large
        return pc.if_else(pc.is_finite(cast), cast, None)
    return cast


def _cast_or_null(values: pa.Array, to_type: pa.DataType) -> pa.Array:
    """Cast all; where that fails, halve until the values that cannot be cast (2026-02-30) stand alone."""
    try:
        return pc.cast(values, to_type)
    except pa.ArrowInvalid:
        if len(values) == 1:
            return pa.nulls(1, to_type)
        middle = len(values) // 2
        halves = (_cast_or_null(half, to_type) for half in (values[:middle], values[middle:]))
        return pa.concat_arrays(list(halves))


def _misfit_reasons(
    declared: Sequence[Column], received: Mapping[str, pa.Array], typed: Mapping[str, pa.Array]
) -> dict[int, str]:
    """Positions of rows with a field that is not of its column's type, and the columns it is about."""
    reasons: dict[int, list[str]] = {}
    for column in declared:
        if typed[column.name].null_count:
            misfit = pc.and_(pc.is_null(typed[column.name]), pc.not_equal(received[column.name], ""))
            for row in np.flatnonzero(misfit.to_numpy(zero_copy_only=False)):
                reasons.setdefault(int(row), []).append(f"{column.name} is no {column.type}")
    return {row: "; ".join(parts) for row, parts in sorted(reasons.items())}
