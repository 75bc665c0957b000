"""A suite over rows in several places: each part is evaluated where it is, and GX judges what they add up to.

On each part runs the engine of the small gate (ArrowEngine) over the whole suite, so that what a row is worth
is found in one way only. Of what it computes, PartFindings keeps what can be put together again: counts are
added, a mean is made of sums. GX then evaluates the suite once more over an engine that has only these. A
metric that no rule here can put together is an error, never a guess; etl.quality.mergeable refuses such
expectations before.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from great_expectations.exceptions import MetricResolutionError
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.validator.metric_configuration import MetricConfiguration, MetricConfigurationID

from etl.contract import Contract
from etl.quality.arrow_engine import ArrowEngine
from etl.quality.conditions import BATCH, ask_gx, inputs_of
from etl.quality.frame import Form
from etl.quality.mergeable import UNIQUE
from etl.quality.suite import Suite
from etl.quality.validate import Validation, evaluate, tell

_ADDED = (".unexpected_count", ".filtered_row_count", "column.non_null_count", "table.row_count")
_ALIKE = (
    "table.columns",
    "table.column_types",
    "table.column_count",
    ".unexpected_values",
    ".unexpected_index_list",
    ".unexpected_index_query",
    ".unexpected_rows",
)
_FROM_OTHERS = ("column.non_null_proportion",)
_SUMS = ("column.sum", "column.mean")
_EXTREMES: dict[str, Callable[[Iterable[Any]], Any]] = {"column.min": min, "column.max": max}


@dataclass(frozen=True, slots=True)
class PartFindings:
    """Of one part: what its metrics came to, and which rows failed (positions in the part, ascending).

    A metric that could not be computed has come to the error.
    Of rows that must not be repeated no part can tell.
    """

    rows: int
    values: Mapping[MetricConfigurationID, Any]
    failed: Mapping[str, np.ndarray]
    metrics_fast: int
    metrics_fallback: int


def examine_part(
    rows: pa.Table,
    forms: Mapping[str, Form],
    suite: Suite,
    batch_date: date,
    usual: Mapping[str, int | float | None],
) -> PartFindings:
    """`forms` are those of all rows."""
    engine = _Recorder(rows, forms)
    answers = evaluate(engine, suite, batch_date, usual)
    failed = {}
    for declared in suite.expectations:
        found = answers.get(declared.name, [])
        if declared.judges_rows and declared.type not in UNIQUE and len(found) == 1:
            positions = engine.rows_unexpected(found[0])
            if positions is not None:
                failed[declared.name] = positions
    usage = engine.usage
    return PartFindings(rows.num_rows, engine.recorded, failed, usage.fast, len(usage.fallback))


@dataclass(frozen=True, slots=True)
class Uniqueness:
    """What an expectation says does not stand twice; rows are left out as GX's `ignore_row_if` says."""

    columns: tuple[str, ...]
    ignore_row_if: str


def uniqueness_in(suite: Suite) -> dict[str, Uniqueness]:
    """By the name of the expectation."""
    stated = {e.meta["name"]: e for e in suite.gx_suite.expectations if e.expectation_type in UNIQUE}
    return {
        name: Uniqueness(
            tuple(getattr(expectation, "column_list", None) or [expectation.column]),
            getattr(expectation, "ignore_row_if", None) or _NO_VALUE,
        )
        for name, expectation in stated.items()
    }


def judged_positions(rows: pa.Table, uniqueness: Uniqueness) -> np.ndarray:
    """Of those rows that are not left out."""
    nulls = sum(pc.is_null(rows[name]).to_numpy().astype(int) for name in uniqueness.columns)
    least = {"never": len(uniqueness.columns) + 1, "all_values_are_missing": len(uniqueness.columns)}
    return np.flatnonzero(nulls < least.get(uniqueness.ignore_row_if, 1))


_NO_VALUE = "any_value_is_missing"


def judge_parts(
    parts: Sequence[PartFindings],
    failed_counts: Mapping[str, int],
    suite: Suite,
    contract: Contract,
    batch_date: date,
    usual: Mapping[str, int | float | None],
) -> Validation:
    """`failed_counts` are over all parts, by the name of the expectation; those of repeated rows too."""
    repeated = {uniqueness: failed_counts.get(name, 0) for name, uniqueness in uniqueness_in(suite).items()}
    answers = evaluate(_Combined(parts, repeated), suite, batch_date, usual)
    row_count = sum(part.rows for part in parts)
    told = tell(answers, lambda _: None, failed_counts, row_count, suite, contract)
    return replace(told, metrics_fast=parts[0].metrics_fast, metrics_fallback=parts[0].metrics_fallback)


class _Recorder(ArrowEngine):
    """Keeps what it computes, as far as it can be put together with that of other parts."""

    def __init__(self, rows: pa.Table, forms: Mapping[str, Form]):
        self.recorded: dict[MetricConfigurationID, Any] = {}
        self._rows = rows
        super().__init__(rows, forms)

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: Mapping[MetricConfigurationID, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[MetricConfigurationID, Any]:
        wanted = list(metrics_to_resolve)
        try:
            resolved = super().resolve_metrics(wanted, metrics, runtime_configuration)
        except MetricResolutionError as error:
            cause = error.__cause__
            told = type(cause)(str(cause)) if type(cause).__module__ == "builtins" else error
            self.recorded.update({metric.id: told for metric in error.failed_metrics})
            raise
        for metric in wanted:
            name = metric.metric_name
            if name in _SUMS:
                self.recorded[metric.id] = _exact_sum(self._rows[metric.metric_domain_kwargs["column"]])
            elif name.endswith((*_ADDED, *_ALIKE)) or name in _EXTREMES:
                self.recorded[metric.id] = resolved[metric.id]
        return resolved


class _Combined(PandasExecutionEngine):
    """Resolves metrics by what they were on each part; there are no rows."""

    def __init__(self, parts: Sequence[PartFindings], repeated: Mapping[Uniqueness, int]):
        self._parts, self._repeated = parts, repeated
        super().__init__(batch_data_dict={BATCH: pd.DataFrame()})

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: Mapping[MetricConfigurationID, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[MetricConfigurationID, Any]:
        """Raises MetricResolutionError, as GX's engines do."""
        resolved = {}
        for metric in metrics_to_resolve:
            try:
                resolved[metric.id] = self._resolve(metric, metrics or {}, runtime_configuration)
            except Exception as error:
                raise MetricResolutionError(str(error), failed_metrics=(metric,)) from error
        return resolved

    def _resolve(
        self, metric: MetricConfiguration, known: Mapping[MetricConfigurationID, Any], runtime: Any
    ) -> Any:
        name = metric.metric_name
        for part in self._parts:
            if isinstance(error := part.values.get(metric.id), Exception):
                raise error
        if name.endswith((".condition", ".map")):
            return None  # only its counts are asked for
        if name in _REPEATED:
            return self._repeated[_of_domain(metric.metric_domain_kwargs)]
        if name in _FROM_OTHERS:
            return ask_gx(metric, self, inputs_of(metric, known), runtime)
        values = [part.values[metric.id] for part in self._parts]
        if name.endswith(_ADDED):
            return sum(values)
        if name in _SUMS:
            total, count = (sum(both) for both in zip(*values, strict=True))
            return total if name == "column.sum" else total / count if count else float("nan")
        if name in _EXTREMES:
            present = [value for value in values if not pd.isna(value)]
            return _EXTREMES[name](present) if present else values[0]
        if name.endswith(_ALIKE) and all(value == values[0] for value in values):
            return values[0]
        raise ValueError(f"no rule says how {name} of several parts comes together")


_REPEATED = frozenset(f"{kind}.unique.unexpected_count" for kind in ("column_values", "compound_columns"))


def _of_domain(domain: Mapping[str, Any]) -> Uniqueness:
    columns = domain.get("column_list") or [domain["column"]]
    return Uniqueness(tuple(columns), domain.get("ignore_row_if") or _NO_VALUE)


def _exact_sum(values: pa.ChunkedArray) -> tuple[int, int]:
    """The sum of whole numbers, in two halves because it may not fit into 64 bits, and how many there are."""
    present = values.drop_null().to_numpy()
    return (int((present >> 32).sum()) << 32) + int((present & 0xFFFFFFFF).sum()), len(present)
