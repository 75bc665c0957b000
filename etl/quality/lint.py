"""What is wrong with a suite, in words for whoever mends it.

Great Expectations drops, or takes in its own way, much of what is checked here.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from etl.contract import Contract
from etl.outcome import KEY_IS_NULL, REQUIRED_IS_NULL, Severity
from etl.quality.gallery import (
    columns_of,
    comparisons,
    find_class,
    is_parameter,
    judges_rows,
    subject_columns,
)
from etl.quality.mergeable import lint_for_engine
from etl.quality.redaction import VALUELESS_AGGREGATES, private_columns
from etl.steps.history import usual_names

_DATES = frozenset({"batch_date", "next_date"})  # what validate_rows supplies in any case
# Their arguments or results are values of rows, by nature: not for private columns.
_SHOW_VALUES = frozenset(
    {
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_not_be_in_set",
        "expect_column_pair_values_to_be_in_set",
    }
)
# They query a database beside the rows, which are not in one.
_NEED_A_DATABASE = frozenset(
    {
        "expect_query_results_to_match_comparison",
        "expect_table_row_count_to_equal_other_table",
        "unexpected_rows_expectation",
    }
)
# GX takes these as arguments of any expectation; here the gate decides on them.
_THE_GATES_OWN = frozenset({"batch_id", "catch_exceptions", "condition_parser", "result_format", "windows"})
_CONDITIONS = ("and", "comparison", "nullity", "or")


def lint_entries(entries: list[Any], contract: Contract) -> Iterator[str]:
    """Every problem of the expectations of a suite, each with the position and name of its entry."""
    for position, entry in enumerate(entries, 1):
        yield from (f"{_label(entry, position)}: {problem}" for problem in _lint(entry, contract))
    yield from _repeated(entries)


def _lint(entry: object, contract: Contract) -> Iterator[str]:
    if not isinstance(entry, dict) or not isinstance(entry.get("kwargs"), dict):
        yield "an expectation is an object with type and kwargs"
        return
    yield from _lint_words(entry)
    kwargs = entry["kwargs"]
    for column in dict.fromkeys(columns_of(kwargs)):
        if column not in contract.column_names:
            yield f"column {column!r} is not in the contract"
    if own := sorted(_THE_GATES_OWN & kwargs.keys()):
        yield f"kwargs: {', '.join(own)} cannot be set here; the gate does"
    yield from _lint_parameters(kwargs, contract)
    conditions = list(_lint_condition(kwargs.get("row_condition")))
    yield from conditions
    if not conditions:
        yield from _lint_type(entry)
    yield from _lint_privacy(entry, private_columns(contract))
    yield from lint_for_engine(entry, contract)


def _lint_words(entry: Mapping[str, Any]) -> Iterator[str]:
    """What people and the policy read: name, owner, description, severity."""
    meta = entry.get("meta")
    for field, holder in (("name", meta), ("owner", meta), ("description", entry)):
        value = holder.get(field) if isinstance(holder, dict) else None
        if not isinstance(value, str) or not value.strip():
            yield f"{'meta.' if holder is meta else ''}{field} is missing"
    name = str(meta.get("name")) if isinstance(meta, dict) else ""
    if name == REQUIRED_IS_NULL or name.startswith(KEY_IS_NULL):
        yield f"meta.name {name} is the gate's own, for rows that lack a required value"
    if "severity" not in entry:
        yield f"severity is missing; one of {', '.join(Severity)}"
    elif entry["severity"] not in [*Severity]:
        yield f"severity {entry['severity']!r} is none of {', '.join(Severity)}"


def _lint_parameters(kwargs: Mapping[str, Any], contract: Contract) -> Iterator[str]:
    """GX fills in a parameter that is a whole argument, compares with it as it stands anywhere else, and
    takes its name for a formula."""
    supplied = _DATES | usual_names(contract)
    for argument, value in kwargs.items():
        if is_parameter(value):
            name = value["$PARAMETER"]
            if name not in [*supplied]:
                yield _unknown_parameter(str(name), supplied, contract)
        elif _holds_parameter(value):
            yield f'{argument}: a parameter is a whole argument, {{"$PARAMETER": name}}, and no part of one'


def _unknown_parameter(name: str, supplied: Collection[str], contract: Contract) -> str:
    if contract.history is None and name.startswith("usual_"):
        return f"parameter {name!r} needs `history` among the contract's customProperties"
    return f"parameter {name!r} is none of {', '.join(sorted(supplied))}"


def _holds_parameter(value: object) -> bool:
    if isinstance(value, dict):
        return any(str(key).startswith("$PARAMETER") for key in value) or _holds_parameter([*value.values()])
    return isinstance(value, list) and any(_holds_parameter(inner) for inner in value)


def _lint_condition(condition: object) -> Iterator[str]:
    """GX passes text on to pandas, where neither its columns nor its values can be checked."""
    if condition is None:
        return
    if not isinstance(condition, dict):
        yield "row_condition is text, which GX is about to drop; write it as an object"
        return
    for leaf in comparisons(condition):
        if leaf.get("type") not in _CONDITIONS:
            yield f"row_condition: type {leaf.get('type')!r} is none of {', '.join(_CONDITIONS)}"


def _lint_type(entry: Mapping[str, Any]) -> Iterator[str]:
    expectation_class = find_class(entry.get("type"))
    if expectation_class is None:
        yield f"type {entry.get('type')!r} is not known"
        return
    if entry["type"] in _NEED_A_DATABASE:
        yield f"{entry['type']} needs a database to query"
        return
    try:
        expectation_class(**entry["kwargs"])
    except Exception as error:  # GX checks arguments with whatever Python raises on them
        yield f"kwargs: {' '.join(str(error).split())}"


def _lint_privacy(entry: Mapping[str, Any], private: Collection[str]) -> Iterator[str]:
    exposed = [column for column in subject_columns(entry["kwargs"]) if column in private]
    if exposed and not _is_safe_on_private(str(entry.get("type"))):
        yield f"{entry.get('type')} would publish values of the private column {', '.join(exposed)}"
    for leaf in comparisons(entry["kwargs"].get("row_condition")):
        column = leaf.get("column")
        name = column.get("name") if isinstance(column, dict) else None
        if name in [*private] and leaf.get("type") != "nullity":
            yield f"row_condition would publish what it compares the private column {name} with"


def _is_safe_on_private(expectation_type: str) -> bool:
    """Judging rows shows counts only; of expectations about a whole column just a few show no value."""
    if expectation_type in _SHOW_VALUES:
        return False
    return (
        judges_rows(expectation_type)
        or expectation_type in VALUELESS_AGGREGATES
        or expectation_type.startswith("expect_table_")
        or find_class(expectation_type) is None  # which is a problem of its own
    )


def _repeated(entries: Iterable[object]) -> Iterator[str]:
    whole = [entry for entry in entries if isinstance(entry, dict)]
    names = Counter(name for entry in whole if (name := _name(entry)) is not None)
    yield from (f"name {name!r} is used {count} times" for name, count in names.items() if count > 1)
    stated: dict[str, str] = {}
    for position, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            continue
        same = json.dumps([entry.get("type"), entry.get("kwargs")], sort_keys=True)
        first = stated.setdefault(same, _label(entry, position))
        if first != _label(entry, position):
            yield f"{_label(entry, position)}: it repeats {first}"


def _label(entry: object, position: int) -> str:
    name = _name(entry)
    return f"#{position} {name}" if name is not None else f"#{position}"


def _name(entry: object) -> str | None:
    meta = entry.get("meta") if isinstance(entry, dict) else None
    name = meta.get("name") if isinstance(meta, dict) else None
    return name if isinstance(name, str) else None
