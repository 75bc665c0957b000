"""suite.json → Suite, linted.

GX drops what it does not understand and calls an empty suite a success, so nothing here is left to GX. A
suite is used only if every entry of the file is an expectation that can be evaluated, explained and shown.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etl.contract import Contract
from etl.errors import SuiteInvalid
from etl.outcome import Severity
from etl.quality.gallery import columns_of, is_parameter, judges_rows
from etl.quality.lint import lint_entries

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite


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
        document = json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        problem = f"it is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise SuiteInvalid(source, (problem,)) from error
    except ValueError as error:
        raise SuiteInvalid(source, (str(error),)) from error
    if not isinstance(document, dict):
        raise SuiteInvalid(source, ("it is not a JSON object",))
    entries = document.get("expectations")
    if not isinstance(entries, list) or not entries:
        raise SuiteInvalid(source, ("it has no expectations, so everything would pass",))
    problems = [] if document.get("name") == contract.dataset else [f"its name must be {contract.dataset}"]
    problems += lint_entries(entries, contract)
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
    except Exception as error:  # GX checks what it loads with whatever Python raises on it
        raise SuiteInvalid(source, (f"GX cannot load it: {error}",)) from error
    loaded, stated = len(gx_suite.expectations), len(document["expectations"])
    if loaded != stated:
        raise SuiteInvalid(source, (f"GX understood {loaded} of its {stated} expectations",))
    return gx_suite


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Python and GX would take the last of two, and drop the other in silence."""
    twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    if twice:
        raise ValueError(f"an object states {', '.join(map(repr, twice))} twice")
    return dict(pairs)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON number")


def _declare(entry: Mapping[str, Any]) -> Declared:
    return Declared(
        name=entry["meta"]["name"],
        type=entry["type"],
        columns=tuple(columns_of(entry["kwargs"])),
        severity=Severity(entry["severity"]),
        description=entry["description"],
        owner=entry["meta"]["owner"],
        judges_rows=judges_rows(entry["type"]),
        parameters=tuple(value["$PARAMETER"] for value in entry["kwargs"].values() if is_parameter(value)),
    )
