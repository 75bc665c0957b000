"""Runs a suite over the rows of a batch: Great Expectations in, our own outcomes out.

Fails closed, where GX does not: whatever GX cannot evaluate, or does not answer, has `error` set.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from etl.contract import Contract
from etl.outcome import ExpectationOutcome
from etl.quality.redaction import private_columns, redact_exception, redact_result
from etl.quality.suite import Declared, Suite
from etl.steps.history import usual_figures

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.execution_engine import PandasExecutionEngine

# Counts, and no value of any row: the engine itself says which rows failed.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}


@dataclass(frozen=True, slots=True)
class Validation:
    """`outcomes` has one entry per expectation of the suite, in its order.

    `results` is GX's own result of the whole suite as JSON values, redacted: what Data Docs are made from.
    `metrics_fast` and `metrics_fallback` count the metric values from Arrow, and from GX's pandas code.
    """

    outcomes: tuple[ExpectationOutcome, ...]
    results: Mapping[str, Any]
    metrics_fast: int = 0
    metrics_fallback: int = 0

    @property
    def expectations_met(self) -> int:
        return sum(outcome.success and outcome.error is None for outcome in self.outcomes)


def validate_rows(
    rows: pa.Table,
    suite: Suite,
    contract: Contract,
    batch_date: date,
    usual: Mapping[str, int | float | None] | None = None,
) -> Validation:
    """Evaluate every expectation over `rows`, which have the contract's columns and types.

    `usual` are the suite parameters of etl.steps.history.usual_figures; without them nothing is known of
    earlier batches.
    """
    from etl.quality.arrow_engine import ArrowEngine

    engine = ArrowEngine(rows)
    parameters = usual_figures((), contract, batch_date) if usual is None else usual
    answers = evaluate(engine, suite, batch_date, parameters)

    def failed_rows(declared: Declared) -> np.ndarray | None:
        found = answers.get(declared.name, [])
        return engine.rows_unexpected(found[0]) if len(found) == 1 and declared.judges_rows else None

    usage = engine.usage
    told = tell(answers, failed_rows, None, rows.num_rows, suite, contract)
    return replace(told, metrics_fast=usage.fast, metrics_fallback=len(usage.fallback))


def tell(
    answers: Mapping[str, list["ExpectationValidationResult"]],
    failed_rows: Callable[[Declared], np.ndarray | None],
    failed_counts: Mapping[str, int] | None,
    row_count: int,
    suite: Suite,
    contract: Contract,
) -> Validation:
    """GX's results by the name of the expectation → ours.

    Where the rows are elsewhere, `failed_counts` says how many failed, and `failed_rows` none of them.
    """
    if answers.keys() - {declared.name for declared in suite.expectations}:
        answers = {}  # results of what nobody stated: none of them is believed
    outcomes, results = [], []
    for declared in suite.expectations:
        found = answers.get(declared.name, [])
        failed = failed_rows(declared)
        count = None if failed_counts is None else failed_counts.get(declared.name, 0)
        outcome = _outcome(declared, found, failed, count, row_count, contract)
        outcomes.append(outcome)
        if len(found) == 1:
            results.append(_redacted(found[0], declared, outcome, contract))
    return Validation(tuple(outcomes), _whole(suite, results))


def date_parameters(batch_date: date) -> dict[str, str]:
    """What every suite may use as a parameter; with a time, since GX cannot compare with a date alone."""
    return {
        "batch_date": f"{batch_date.isoformat()}T00:00:00",
        "next_date": f"{(batch_date + timedelta(days=1)).isoformat()}T00:00:00",
    }


def evaluate(
    engine: "PandasExecutionEngine", suite: Suite, batch_date: date, usual: Mapping[str, int | float | None]
) -> dict[str, list["ExpectationValidationResult"]]:
    """GX's results by the name of the expectation.

    The validator is used without a data context: it needs none, and one would hash the whole frame.
    """
    from great_expectations.validator.validator import Validator

    class QuietValidator(Validator):
        def _determine_progress_bars(self) -> bool:
            return False

    # GX logs what goes wrong with the values it went wrong on; ExpectationOutcome.error says it without.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL + 1)
    validator = QuietValidator(execution_engine=engine)
    configurations = validator.process_expectations_for_validation(
        [expectation.configuration for expectation in suite.gx_suite.expectations],
        date_parameters(batch_date) | dict(usual),
    )
    answers: dict[str, list[ExpectationValidationResult]] = {}
    for result in validator.graph_validate(configurations, {"result_format": dict(_RESULT_FORMAT)}):
        answers.setdefault(result.expectation_config.meta["name"], []).append(result)
    return answers


def _outcome(
    declared: Declared,
    found: list["ExpectationValidationResult"],
    unexpected: np.ndarray | None,
    unexpected_count: int | None,
    row_count: int,
    contract: Contract,
) -> ExpectationOutcome:
    answer = found[0] if len(found) == 1 else None
    result = answer.result or {} if answer else {}
    is_row_level = declared.judges_rows and "unexpected_count" in result
    failed_rows = unexpected if is_row_level and unexpected is not None else _NO_ROWS
    shown = redact_result(result, declared.type, declared.columns, private_columns(contract))
    failed_count = len(failed_rows) if unexpected_count is None else unexpected_count
    error = _error(declared, found, failed_rows, failed_count, row_count, contract)
    return ExpectationOutcome(
        name=declared.name,
        expectation_type=declared.type,
        columns=declared.columns,
        severity=declared.severity,
        description=declared.description,
        is_row_level=is_row_level,
        success=error is None and answer is not None and bool(answer.success),
        element_count=int(result.get("element_count") or 0),
        unexpected_count=int(result.get("unexpected_count") or 0),
        unexpected_percent=float(result.get("unexpected_percent") or 0),
        failed_rows=failed_rows,
        observed_value=str(shown["observed_value"]) if shown.get("observed_value") is not None else None,
        error=error,
    )


_NO_ROWS = np.empty(0, np.int64)


def _error(
    declared: Declared,
    found: list["ExpectationValidationResult"],
    failed_rows: np.ndarray,
    failed_count: int,
    row_count: int,
    contract: Contract,
) -> str | None:
    """Why the answer cannot be relied on; None if it can."""
    if len(found) != 1:
        return f"GX gave {len(found)} results where one is expected"
    if raised := _raised(found[0]):
        traceback, message = raised
        private = private_columns(contract)
        return redact_exception(
            traceback,
            message,
            touches_private=not declared.columns or any(column in private for column in declared.columns),
            known=contract.column_names,
        )
    result = found[0].result or {}
    if not isinstance(found[0].success, bool | np.bool_):
        return "GX gave no verdict"
    if not declared.judges_rows:
        return None
    if "unexpected_count" not in result:
        return None if "observed_value" in result else "GX did not count the rows that failed"
    if failed_count != result["unexpected_count"] or not (np.diff(failed_rows) > 0).all():
        return "GX did not name every row that failed"
    if len(failed_rows) and not 0 <= failed_rows.min() <= failed_rows.max() < row_count:
        return "GX named rows that do not exist"
    has_failed_rows = failed_count > 0
    may_have = has_failed_rows and found[0].expectation_config.kwargs.get("mostly", 1) != 1
    if bool(found[0].success) == has_failed_rows and not may_have:
        return "GX's verdict is not what its counts say"
    return None


def _raised(answer: "ExpectationValidationResult") -> tuple[str, str] | None:
    """Traceback and message of what was raised. GX nests this by metric, or does not."""
    info = answer.exception_info or {}
    nested = [inner for inner in info.values() if isinstance(inner, dict)]
    for entry in [info, *nested]:
        if entry.get("raised_exception"):
            return str(entry.get("exception_traceback") or ""), str(entry.get("exception_message") or "")
    return None


def _redacted(
    answer: "ExpectationValidationResult", declared: Declared, outcome: ExpectationOutcome, contract: Contract
) -> dict[str, Any]:
    shown = redact_result(answer.result or {}, declared.type, declared.columns, private_columns(contract))
    raised = outcome.error is not None
    return {
        "success": outcome.success,
        "expectation_config": answer.expectation_config.to_json_dict(),
        "result": _json_values(shown),
        "meta": {},
        "exception_info": {
            "raised_exception": raised,
            "exception_message": outcome.error,
            "exception_traceback": "",
        },
    }


def _json_values(result: dict[str, Any]) -> dict[str, Any]:
    from great_expectations.util import convert_to_json_serializable

    return convert_to_json_serializable(result)


def _whole(suite: Suite, results: list[dict[str, Any]]) -> dict[str, Any]:
    met = sum(result["success"] for result in results)
    return {
        "success": met == len(suite.expectations),
        "suite_name": suite.name,
        "results": results,
        "statistics": {
            "evaluated_expectations": len(suite.expectations),
            "successful_expectations": met,
            "unsuccessful_expectations": len(suite.expectations) - met,
            "success_percent": 100 * met / len(suite.expectations),
        },
        "meta": {"suite_fingerprint": suite.fingerprint},
    }
