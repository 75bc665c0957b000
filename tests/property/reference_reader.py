"""Reading CSV as slowly and plainly as possible: what the fast reader has to agree with."""

import csv
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from etl.contract import Contract

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")
_DAY = r"(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}"
_LOOKS = {
    "bigint": r"0|-?[1-9][0-9]*",
    "double": r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?",
    "boolean": r"true|false",
    "date": _DAY,
    "timestamp": rf"{_DAY}[T ][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]{{1,6}})?",
    "decimal": r"-?[0-9]+(\.[0-9]+)?",
}


def reference_read(content: str, contract: Contract) -> dict[str, Any] | str:
    """Rows, where they stand and how they look, and what is set aside; or why the file is rejected.

    The file's header is the contract's.
    """
    lines = _LINE.findall(content)[1:]
    reader = csv.reader(lines, delimiter=contract.csv.delimiter, quotechar=contract.csv.quote, strict=True)
    rows, places, aside = [], [], []
    while reader.line_num < len(lines):
        start = reader.line_num
        try:
            record, problem = next(reader), ""
        except csv.Error as error:
            is_open = lines[start].count(contract.csv.quote) % 2 == 1 or "unexpected end" in str(error)
            if is_open or reader.line_num > start + 1:
                return f"a quote opened on line {start + 2} is not closed where it should be ({error})"
            record, problem = [], f"misplaced quote ({error})"
        text = re.sub(r"(\r\n|\n|\r)\Z", "", "".join(lines[start : reader.line_num]))
        if not problem and record and len(record) != len(contract.columns):
            problem = f"{len(record)} fields where the header has {len(contract.columns)}"
        if not problem and record:
            values = [_value(text, c.type) for text, c in zip(record, contract.columns, strict=True)]
            wrong = [c for c, value in zip(contract.columns, values, strict=True) if value is NotImplemented]
            problem = "; ".join(f"{column.name} is no {column.type}" for column in wrong)
            if not problem:
                rows.append(tuple(values))
                places.append((start + 2, reader.line_num - start, text))
        if problem:
            aside.append((start + 2, problem, text))
    return {"rows": rows, "places": places, "aside": aside}


def _value(text: str, kind: str) -> Any:
    """NotImplemented for what is no such value."""
    if not text:
        return None
    if kind == "string":
        return text
    try:
        return _parsed(text, kind)
    except (ValueError, ArithmeticError):
        return NotImplemented


def _parsed(text: str, kind: str) -> Any:
    kind, _, arguments = kind.partition("(")
    if not re.fullmatch(_LOOKS[kind], text):
        return NotImplemented
    if kind == "bigint":
        return int(text) if -(2**63) <= int(text) < 2**63 else NotImplemented
    if kind == "double":
        return float(text) if abs(float(text)) != float("inf") else NotImplemented
    if kind == "decimal":
        precision, scale = map(int, arguments.rstrip(")").split(","))
        fits = Decimal(text).as_tuple().exponent >= -scale and abs(Decimal(text)) < 10 ** (precision - scale)
        return Decimal(text) if fits else NotImplemented
    if kind == "boolean":
        return text == "true"
    return date.fromisoformat(text) if kind == "date" else datetime.fromisoformat(_microseconds(text))


def _microseconds(text: str) -> str:
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals:0<6}"
