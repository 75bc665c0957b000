"""suite.json → Suite, linted.

GX drops what it does not understand and calls an empty suite a success, so nothing here is left to GX. A
suite is used only if every entry of the file is an expectation that can be evaluated, explained and shown.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etl.contract import Contract
from etl.errors import SuiteInvalid
from etl.outcome import Severity
from etl.quality.redaction import VALUELESS_AGGREGATES, private_columns
from etl.steps.history import usual_names

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

_DATES = frozenset({"batch_date", "next_date"})  # what validate_rows supplies in any case

_SINGLE_COLUMNS = ("column", "column_A", "column_B")
_COLUMN_LISTS = ("column_list", "column_set")
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


@dataclass(frozen=True, slots=True)
class Declared:
    """An expectation as the suite states it. `judges_rows`: it says of each row whether it is as expected;
    `parameters` are the names of those it takes, in the order of its arguments."""

    name: str
    type: str
    columns: tuple[str, ...]
    severity: Severity
    description: str
    owner: str
    judges_rows: bool
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suite:
    """`fingerprint` is the SHA-256 of the file's content as canonical JSON: layout does not change it."""

    name: str
    fingerprint: str
    expectations: tuple[Declared, ...]
    gx_suite: "ExpectationSuite"


def load_suite(text: str, source: str, contract: Contract) -> Suite:
    """Parse and lint a suite; `source` names it in errors.

    Raises SuiteInvalid with every problem found.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        problem = f"it is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise SuiteInvalid(source, (problem,)) from error
    if not isinstance(document, dict):
        raise SuiteInvalid(source, ("it is not a JSON object",))
    entries = document.get("expectations")
    if not isinstance(entries, list) or not entries:
        raise SuiteInvalid(source, ("it has no expectations, so everything would pass",))
    problems = [] if document.get("name") == contract.dataset else [f"its name must be {contract.dataset}"]
    for position, entry in enumerate(entries, 1):
        label = _label(entry, position)
        problems += [f"{label}: {problem}" for problem in _lint(entry, contract)]
    problems += _repeated(entries)
    if problems:
        raise SuiteInvalid(source, tuple(problems))
    gx_suite = _build(document, source)
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Suite(
        name=document["name"],
        fingerprint=hashlib.sha256(canonical.encode()).hexdigest(),
        expectations=tuple(_declare(entry) for entry in entries),
        gx_suite=gx_suite,
    )


def _build(document: dict[str, Any], source: str) -> "ExpectationSuite":
    from great_expectations import ExpectationSuite

    try:
        gx_suite = ExpectationSuite(**document)
    except (TypeError, ValueError) as error:
        raise SuiteInvalid(source, (f"GX cannot load it: {error}",)) from error
    loaded, stated = len(gx_suite.expectations), len(document["expectations"])
    if loaded != stated:
        raise SuiteInvalid(source, (f"GX understood {loaded} of its {stated} expectations",))
    return gx_suite


def _lint(entry: object, contract: Contract) -> Iterator[str]:
    """What is wrong with one entry by itself."""
    if not isinstance(entry, dict) or not isinstance(entry.get("kwargs"), dict):
        yield "an expectation is an object with type and kwargs"
        return
    meta = entry.get("meta")
    for field, holder in (("name", meta), ("owner", meta), ("description", entry)):
        value = holder.get(field) if isinstance(holder, dict) else None
        if not isinstance(value, str) or not value.strip():
            yield f"{'meta.' if holder is meta else ''}{field} is missing"
    if "severity" not in entry:
        yield f"severity is missing; one of {', '.join(Severity)}"
    elif entry["severity"] not in {*Severity}:
        yield f"severity {entry['severity']!r} is none of {', '.join(Severity)}"
    for column in _columns(entry):
        if column not in contract.column_names:
            yield f"column {column!r} is not in the contract"
    yield from _lint_parameters(entry["kwargs"], contract)
    yield from _lint_type(entry, contract)


def _lint_parameters(kwargs: Mapping[str, Any], contract: Contract) -> Iterator[str]:
    """GX fills in a parameter that is a whole argument, compares with it as it stands anywhere else, and
    takes its name for a formula."""
    supplied = _DATES | usual_names(contract)
    for argument, value in kwargs.items():
        if _is_parameter(value):
            name = value["$PARAMETER"]
            if name not in supplied:
                yield _unknown_parameter(str(name), supplied, contract)
        elif _holds_parameter(value):
            yield f'{argument}: a parameter is a whole argument, {{"$PARAMETER": name}}, and no part of one'


def _unknown_parameter(name: str, supplied: Collection[str], contract: Contract) -> str:
    if contract.history is None and name.startswith("usual_"):
        return f"parameter {name!r} needs `history` among the contract's customProperties"
    return f"parameter {name!r} is none of {', '.join(sorted(supplied))}"


def _is_parameter(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == {"$PARAMETER"}


def _holds_parameter(value: object) -> bool:
    if isinstance(value, dict):
        return any(str(key).startswith("$PARAMETER") for key in value) or _holds_parameter([*value.values()])
    return isinstance(value, list) and any(_holds_parameter(inner) for inner in value)


def _lint_type(entry: Mapping[str, Any], contract: Contract) -> Iterator[str]:
    expectation_class = _find_class(entry.get("type"))
    if expectation_class is None:
        yield f"type {entry.get('type')!r} is not known"
        return
    if entry["type"] in _NEED_A_DATABASE:
        yield f"{entry['type']} needs a database to query"
        return
    if isinstance(entry["kwargs"].get("row_condition"), str):
        yield "row_condition is text, which GX is about to drop; write it as an object"
        return
    try:
        expectation_class(**entry["kwargs"])
    except ValueError as error:
        yield f"kwargs: {' '.join(str(error).split())}"
    exposed = [column for column in _columns(entry) if column in private_columns(contract)]
    if exposed and not _is_safe_on_private(entry["type"]):
        yield f"{entry['type']} would publish values of the private column {', '.join(exposed)}"


def _is_safe_on_private(expectation_type: str) -> bool:
    """Judging rows shows counts only; of expectations about a whole column just a few show no value."""
    if expectation_type in _SHOW_VALUES:
        return False
    return (
        _judges_rows(expectation_type)
        or expectation_type in VALUELESS_AGGREGATES
        or expectation_type.startswith("expect_table_")
    )


def _repeated(entries: Iterable[object]) -> Iterator[str]:
    whole = [entry for entry in entries if isinstance(entry, dict)]
    names = Counter(entry["meta"].get("name") for entry in whole if isinstance(entry.get("meta"), dict))
    yield from (f"name {name!r} is used {count} times" for name, count in names.items() if name and count > 1)
    stated: dict[str, str] = {}
    for position, entry in enumerate(whole, 1):
        same = json.dumps([entry.get("type"), entry.get("kwargs")], sort_keys=True)
        first = stated.setdefault(same, _label(entry, position))
        if first != _label(entry, position):
            yield f"{_label(entry, position)}: it repeats {first}"


def _declare(entry: Mapping[str, Any]) -> Declared:
    return Declared(
        name=entry["meta"]["name"],
        type=entry["type"],
        columns=tuple(_columns(entry)),
        severity=Severity(entry["severity"]),
        description=entry["description"],
        owner=entry["meta"]["owner"],
        judges_rows=_judges_rows(entry["type"]),
        parameters=tuple(value["$PARAMETER"] for value in entry["kwargs"].values() if _is_parameter(value)),
    )


def _label(entry: object, position: int) -> str:
    meta = entry.get("meta") if isinstance(entry, dict) else None
    name = meta.get("name") if isinstance(meta, dict) else None
    return f"#{position} {name}" if isinstance(name, str) else f"#{position}"


def _columns(entry: Mapping[str, Any]) -> Iterator[str]:
    kwargs = entry["kwargs"]
    yield from (kwargs[argument] for argument in _SINGLE_COLUMNS if isinstance(kwargs.get(argument), str))
    for argument in _COLUMN_LISTS:
        yield from (name for name in kwargs.get(argument) or () if isinstance(name, str))
    yield from _condition_columns(kwargs.get("row_condition"))


def _condition_columns(condition: object) -> Iterator[str]:
    """The columns in a row condition: a comparison, or comparisons joined under `conditions`."""
    if isinstance(condition, dict):
        if isinstance(column := condition.get("column"), dict):
            yield str(column.get("name"))
        for inner in condition.get("conditions") or ():
            yield from _condition_columns(inner)


def _judges_rows(expectation_type: str) -> bool:
    from great_expectations.expectations.expectation import (
        ColumnMapExpectation,
        ColumnPairMapExpectation,
        MulticolumnMapExpectation,
    )

    maps = (ColumnMapExpectation, ColumnPairMapExpectation, MulticolumnMapExpectation)
    expectation_class = _find_class(expectation_type)
    return expectation_class is not None and issubclass(expectation_class, maps)


def _find_class(expectation_type: object) -> type | None:
    from great_expectations.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.registry import get_expectation_impl

    import etl.quality.age_on_date  # noqa: F401  registers it

    try:
        return get_expectation_impl(str(expectation_type))
    except ExpectationNotFoundError:
        return None
