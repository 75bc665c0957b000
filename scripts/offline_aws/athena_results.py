"""Rows as Athena shows them: its types, its text for values, its CSV."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from scripts.offline_aws.athena_sql import UNNAMED

# DuckDB's type, without its parameters → Athena's type and precision.
TYPES = {
    "BOOLEAN": ("boolean", 0),
    "TINYINT": ("tinyint", 3),
    "SMALLINT": ("smallint", 5),
    "INTEGER": ("integer", 10),
    "BIGINT": ("bigint", 19),
    "HUGEINT": ("bigint", 19),  # what DuckDB sums a bigint to
    "UINTEGER": ("bigint", 19),
    "UBIGINT": ("bigint", 19),
    "FLOAT": ("float", 17),
    "DOUBLE": ("double", 17),
    "VARCHAR": ("varchar", 2147483647),
    "BLOB": ("varbinary", 1073741824),
    "DATE": ("date", 0),
    "TIME": ("time", 3),
    "TIMESTAMP": ("timestamp", 3),
    "TIMESTAMP_S": ("timestamp", 3),
    "TIMESTAMP_MS": ("timestamp", 3),
    "TIMESTAMP_NS": ("timestamp", 3),
    "TIMESTAMP WITH TIME ZONE": ("timestamp with time zone", 3),
    "MAP": ("map", 0),
    "STRUCT": ("row", 0),
    '"NULL"': ("unknown", 0),
}


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    precision: int = 0
    scale: int = 0

    def as_info(self) -> dict[str, Any]:
        return {
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": self.name,
            "Label": self.name,
            "Type": self.type,
            "Precision": self.precision,
            "Scale": self.scale,
            "Nullable": "UNKNOWN",
            "CaseSensitive": self.type == "varchar",
        }


@dataclass(frozen=True, slots=True)
class Result:
    columns: list[Column]
    rows: list[tuple[str | None, ...]]
    """Values as text; None is null."""
    has_header: bool = True
    """GetQueryResults and the file begin with the names, for SELECT but not for SHOW and DESCRIBE."""

    @property
    def lines(self) -> list[tuple[str | None, ...]]:
        header = [tuple(column.name for column in self.columns)] if self.has_header else []
        return [*header, *self.rows]

    def as_file(self) -> tuple[str, bytes]:
        """The suffix and content of the object in the output location."""
        if not self.has_header:
            return ".txt", "".join("\t".join(v or "" for v in row) + "\n" for row in self.rows).encode()
        return ".csv", "".join(",".join(map(_quoted, line)) + "\n" for line in self.lines).encode()


def _quoted(value: str | None) -> str:
    return "" if value is None else '"' + value.replace('"', '""') + '"'


def listing(name: str, values: Iterable[str]) -> Result:
    return Result([Column(name, "string")], [(value,) for value in values], has_header=False)


def from_duckdb(description: Sequence[Sequence[Any]], rows: Iterable[Sequence[Any]]) -> Result:
    columns = [_column(number, entry[0], str(entry[1])) for number, entry in enumerate(description)]
    return Result(columns, [tuple(map(as_text, row)) for row in rows])


def _column(number: int, name: str, duckdb_type: str) -> Column:
    shown = f"_col{number}" if name.startswith(UNNAMED) else name.lower()
    if match := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", duckdb_type):
        return Column(shown, "decimal", int(match[1]), int(match[2]))
    if duckdb_type.endswith("]"):
        return Column(shown, "array")
    return Column(shown, *TYPES.get(duckdb_type.split("(")[0], ("varchar", 2147483647)))


def as_text(value: Any) -> str | None:
    """A value as Athena prints it; inside arrays, rows and maps a null prints as null."""
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case float():
            return _java_double(value)
        case Decimal():
            return f"{value:f}"
        case datetime.datetime():
            return f"{value:%Y-%m-%d %H:%M:%S.%f}" + (" UTC" if value.tzinfo else "")
        case bytes():
            return value.hex(" ")
        case list() | tuple():
            return "[" + ", ".join(as_text(item) or "null" for item in value) + "]"
        case dict():
            return "{" + ", ".join(f"{as_text(k)}={as_text(v) or 'null'}" for k, v in value.items()) + "}"
        case _:
            return str(value)


def _java_double(value: float) -> str:
    """As Java's Double.toString: plain from 10^-3 up to 10^7, else with an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        plain = f"{Decimal(repr(value)):f}"
        return plain if "." in plain else plain + ".0"
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    text = "".join(map(str, digits)).rstrip("0") or "0"
    power = len(digits) + int(exponent) - 1
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{power}"
