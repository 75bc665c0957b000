"""Tables of JSON lines whose partitions Athena projects: no partition of theirs is in the catalog.

https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html: of the types, enum and
date are emulated, and of date formats those of years, months and days. Rows are read as by Hive's JsonSerDe:
one object a line, keys in lower case, keys that are no column left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from scripts.offline_aws.athena_sql import QueryFailed

if TYPE_CHECKING:
    import pyarrow as pa

HIVE_JSON = "org.apache.hive.hcatalog.data.JsonSerDe"
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_NOW = re.compile(r"\s*NOW\s*(?:([+-])\s*(\d+)\s*DAYS?\s*)?")
_DATE_DIRECTIVES = {"yyyy": "%Y", "MM": "%m", "dd": "%d"}
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,9})?")


class Projection:
    """Which values a table's partition keys can have, and so which objects belong to it."""

    def __init__(self, parameters: Mapping[str, str], keys: Iterable[str], location: str) -> None:
        self.keys = tuple(keys)
        hive_folders = "/".join(f"{key}=${{{key}}}" for key in self.keys)
        template = parameters.get("storage.location.template", f"{location.rstrip('/')}/{hive_folders}")
        parts = _PLACEHOLDER.split(template.rstrip("/") + "/")
        self.folder = parts[0]
        escaped = (f"(?P<{p}>[^/]+)" if i % 2 else re.escape(p) for i, p in enumerate(parts))
        self._pattern = re.compile("".join(escaped) + "[^/]+")
        self._allows = {key: _allows(parameters, key) for key in self.keys}

    def values_of(self, uri: str) -> list[str] | None:
        """The partition that the object is in; None for one that no query sees."""
        match = self._pattern.fullmatch(uri)
        if not match or not all(self._allows[key](match[key]) for key in self.keys):
            return None
        return [match[key] for key in self.keys]


def _allows(parameters: Mapping[str, str], key: str) -> Callable[[str], bool]:
    kind = parameters.get(f"projection.{key}.type", "").strip().lower()
    if kind == "enum":
        values = parameters[f"projection.{key}.values"].split(",")
        return values.__contains__
    if kind != "date":
        raise QueryFailed(f"NOT_SUPPORTED: projection type {kind!r} of {key} is not emulated")
    pattern = parameters[f"projection.{key}.format"]
    directives = re.sub("yyyy|MM|dd", lambda found: _DATE_DIRECTIVES[found[0]], pattern)
    first, last = (
        _bound(text, directives) for text in parameters[f"projection.{key}.range"].split(",", maxsplit=1)
    )

    def is_in_range(text: str) -> bool:
        try:
            return first <= datetime.strptime(text, directives).date() <= last
        except ValueError:
            return False

    return is_in_range


def _bound(text: str, directives: str) -> date:
    if now := _NOW.fullmatch(text):
        return datetime.now(UTC).date() + timedelta(days=int(f"{now[1] or ''}{now[2] or 0}"))
    return datetime.strptime(text.strip(), directives).date()


def json_rows(content: bytes) -> Iterable[dict[str, Any]]:
    for line in content.decode().splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise QueryFailed("HIVE_CURSOR_ERROR: Row is not a valid JSON Object")
        yield {name.lower(): value for name, value in row.items()}


def to_arrow(values: list[Any], hive_type: str) -> pa.Array:
    """A column. What is not of its type makes the query fail, as Hive's reader does."""
    import pyarrow as pa

    types = {
        "string": pa.string(),
        "bigint": pa.int64(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("ms"),
        "array<string>": pa.list_(pa.string()),
    }
    if hive_type not in types:
        raise QueryFailed(f"NOT_SUPPORTED: JSON columns of type {hive_type} are not emulated")
    try:
        return pa.array([_parsed(value, hive_type) for value in values], types[hive_type])
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError, TypeError) as error:
        raise QueryFailed(f"HIVE_BAD_DATA: Error parsing a column of type {hive_type}: {error}") from None


def _parsed(value: Any, hive_type: str) -> Any:
    if value is None:
        return None
    if hive_type == "timestamp":
        if not _TIMESTAMP.fullmatch(value):
            raise ValueError(f"{value!r} is not yyyy-MM-dd HH:mm:ss")
        return datetime.fromisoformat(value)
    if hive_type == "date":
        return date.fromisoformat(value)
    return value
