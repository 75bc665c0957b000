"""What may leave the lake of what Great Expectations says.

GX puts values of rows into results, exception messages and logs. Here everything is left out but what is
known to hold none: results are copied by an allow-list of fields, and a column that is not classified as open
(`public` or `internal`) counts as private, as it does for the column grants.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from etl.contract import OPEN_TO_ANALYSTS, Contract

WITHHELD = "withheld: the column is private"

_COUNTS = (
    "element_count",
    "unexpected_count",
    "unexpected_percent",
    "unexpected_percent_total",
    "unexpected_percent_nonmissing",
    "missing_count",
    "missing_percent",
)
# Expectations about a whole column whose observed value is a count, a share or a type, never a value.
VALUELESS_AGGREGATES = frozenset(
    {
        "expect_column_proportion_of_non_null_values_to_be_between",
        "expect_column_proportion_of_unique_values_to_be_between",
        "expect_column_to_exist",
        "expect_column_type_to_be",
        "expect_column_unique_value_count_to_be_between",
        "expect_column_values_to_be_in_type_list",
        "expect_column_values_to_be_of_type",
    }
)
# An apostrophe within a word (can't) neither opens nor closes.
_QUOTED = re.compile(r"(?<!\w)'.*?'(?!\w)|\"[^\"]*\"|`[^`]*`|‘[^’]*’", re.DOTALL)


def private_columns(contract: Contract) -> frozenset[str]:
    return frozenset(c.name for c in contract.columns if c.classification not in OPEN_TO_ANALYSTS)


def redact_result(
    result: Mapping[str, Any], expectation_type: str, columns: Iterable[str], private: Collection[str]
) -> dict[str, Any]:
    """The fields of GX's `result` that hold no value of a private column; row positions are left out too."""
    kept = {field: result[field] for field in _COUNTS if field in result}
    is_private = any(column in private for column in columns)
    if "observed_value" in result:
        may_show = not is_private or _says_nothing_of_values(expectation_type)
        kept["observed_value"] = result["observed_value"] if may_show else WITHHELD
    if "details" in result and expectation_type.startswith("expect_table_columns_"):
        kept["details"] = result["details"]  # names of columns
    return kept


def redact_exception(traceback: str, message: str, *, touches_private: bool, known: Collection[str]) -> str:
    """The kind of the exception and, if only open columns are concerned, its message.

    Of the message, quoted parts go unless they are in `known` (names of columns, say): that is where Python
    and pandas put values. `traceback` is text as Python prints it.
    """
    kind = _exception_kind(traceback)
    if touches_private or not message:
        return kind
    safe = _QUOTED.sub(lambda quoted: quoted[0] if quoted[0][1:-1] in known else "…", message)
    return f"{kind}: {' '.join(safe.split())[:300]}"


def _says_nothing_of_values(expectation_type: str) -> bool:
    return expectation_type in VALUELESS_AGGREGATES or expectation_type.startswith("expect_table_")


def _exception_kind(traceback: str) -> str:
    """The class raised first; of the lines of a message only names of exception classes are believed."""
    classes = {subclass.__name__ for subclass in _subclasses(Exception)}
    for line in traceback.splitlines():
        name = line.partition(":")[0].rpartition(".")[2]
        if name in classes:
            return name
    return "Exception"


def _subclasses(parent: type) -> Iterator[type]:
    for child in parent.__subclasses__():
        yield child
        yield from _subclasses(child)
