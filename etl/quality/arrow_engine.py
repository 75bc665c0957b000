"""Great Expectations' metrics over Arrow columns: GX's own answers, without most of GX's own work.

GX builds the metric graph, evaluates each expectation and renders the results; this engine supplies the
metric values. It has no opinion of its own on what a good value is: it asks GX's pandas condition about as
little as possible, which is a column's distinct values where the condition looks at one value at a time, and
the columns concerned otherwise. What comes of it is kept as the positions of the unexpected rows, and all
that GX derives from a condition (counts, values, rows, index lists) is GX's own function over these few rows.
A metric not known here goes to GX's pandas code as it is; `usage` counts both.

Computed here are nulls, which Arrow knows, and uniqueness, by sorting numbers instead of hashing rows.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from great_expectations.exceptions import MetricResolutionError
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.execution_engine.pandas_batch_data import PandasBatchData
from great_expectations.expectations.registry import get_expectation_impl, get_metric_kwargs
from great_expectations.validator.metric_configuration import MetricConfiguration, MetricConfigurationID

from etl.quality.conditions import (
    AGGREGATES,
    BATCH,
    BY_VALUE,
    MAPS_BY_VALUE,
    NUMBERS,
    VECTORISED,
    Deferred,
    Known,
    Unexpected,
    as_flags,
    ask_gx,
    engine_over,
    inputs_of,
    shortened,
)
from etl.quality.frame import Column, Form, Frame
from etl.quality.repeated import repeated_positions

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult

_NOT_FAST = object()
_NOT_NULL, _NULL = "column_values.nonnull.condition", "column_values.null.condition"
_UNIQUE, _COMPOUND_UNIQUE = "column_values.unique.condition", "compound_columns.unique.condition"
_OF_THE_TYPES = frozenset({"table.columns", "table.column_types"})
_ACCESSORS = frozenset({"column", "column_A", "column_B", "column_list"})
_MOST_SHOWN = 200  # great_expectations.constants.MAX_RESULT_RECORDS
_WORTH_A_THREAD = 100_000  # rows


@dataclass(slots=True)
class Usage:
    """How many metric values were computed fast, and which metrics went to GX's pandas code."""

    fast: int = 0
    fallback: list[str] = field(default_factory=list)


class ArrowEngine(PandasExecutionEngine):
    """Resolves GX's metrics over the rows of an Arrow table; `unexpected` holds what each condition found."""

    def __init__(self, rows: pa.Table, forms: Mapping[str, Form] | None = None):
        self._frame = Frame(rows, forms)
        self._by_value: dict[str, PandasExecutionEngine] = {}
        self.usage = Usage()
        self.unexpected: dict[MetricConfigurationID, np.ndarray] = {}
        super().__init__(batch_data_dict={BATCH: _LazyBatch(self, self._frame)})

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: Known | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[MetricConfigurationID, Any]:
        """One level of GX's graph. Raises MetricResolutionError, as GX's engines do."""
        known = metrics or {}
        wanted = list(metrics_to_resolve)
        self._encode_ahead(wanted)
        resolved: dict[MetricConfigurationID, Any] = {}
        for metric in wanted:
            try:
                value = self._resolve_fast(metric, known, runtime_configuration)
            except Exception as error:
                raise MetricResolutionError(str(error), failed_metrics=(metric,)) from error
            if value is _NOT_FAST:
                self.usage.fallback.append(metric.metric_name)
                value = self._resolve_as_gx_does(metric, known, runtime_configuration)
            else:
                self.usage.fast += 1
            if isinstance(value, Unexpected):
                self.unexpected[metric.id] = value.positions
            resolved[metric.id] = value
        return resolved

    def get_domain_records(self, domain_kwargs: dict[str, Any]) -> pd.DataFrame:
        """As in GX, but with the columns of the domain alone where it names any."""
        whole = self._frame.whole(_columns_of(domain_kwargs, self._frame))
        return engine_over(whole).get_domain_records(dict(domain_kwargs) | {"batch_id": BATCH})

    def rows_unexpected(self, result: "ExpectationValidationResult") -> np.ndarray | None:
        """Positions (int64, ascending) of the rows that an evaluated expectation did not expect.

        None when it has not judged rows one by one.
        """
        configuration = result.expectation_config
        condition = getattr(get_expectation_impl(configuration.type), "map_metric", None)
        if condition is None:
            return None
        name = f"{condition}.condition"
        kwargs = get_metric_kwargs(name, configuration)
        metric = MetricConfiguration(name, kwargs["metric_domain_kwargs"], kwargs["metric_value_kwargs"])
        return self.unexpected.get(metric.id)

    def _resolve_fast(self, metric: MetricConfiguration, known: Known, runtime: Any) -> Any:
        name, domain = metric.metric_name, metric.metric_domain_kwargs
        if name == "table.row_count" and not domain.get("row_condition"):
            return self._frame.row_count
        if name in _OF_THE_TYPES:
            no_rows = self._frame.part(np.empty(0, np.int64))
            return ask_gx(metric, engine_over(no_rows), inputs_of(metric, known), runtime)
        if name in MAPS_BY_VALUE and self._answers_by_value(metric):
            return Deferred(metric)
        if name.endswith(".condition"):
            return self._judge(metric, known, runtime) or _NOT_FAST
        if name in AGGREGATES and _is_known(domain, self._frame) and not domain.get("row_condition"):
            column = self._frame.columns[domain["column"]]
            if str(column.dtype) in NUMBERS:
                return getattr(column.series, AGGREGATES[name])()
        condition = inputs_of(metric, known).get("unexpected_condition")
        if isinstance(condition, Unexpected):
            return self._derive(metric, condition, known, runtime)
        return _NOT_FAST

    def _judge(self, metric: MetricConfiguration, known: Known, runtime: Any) -> Unexpected | None:
        """The rows that do not meet a condition; None where nothing shorter than GX's own way is known."""
        name, domain = metric.metric_name, metric.metric_domain_kwargs
        if domain.get("row_condition") or not _is_known(domain, self._frame):
            return None
        if name == _COMPOUND_UNIQUE:
            return self._judge_compound(metric)
        if "column" not in domain:
            return None
        column = self._frame.columns[domain["column"]]
        nulls, rows = column.null_positions, self._frame.row_count
        if name == _NOT_NULL:
            return Unexpected(metric, nulls, rows)
        if name == _NULL:
            return Unexpected(metric, np.delete(np.arange(rows), nulls), rows)
        if name == _UNIQUE and not column.is_floating:
            return Unexpected(metric, repeated_positions([column], nulls), rows - len(nulls))
        if _is_vectorised(name, column):
            value = shortened(metric, ask_gx(metric, self, inputs_of(metric, known), runtime))
            return value if isinstance(value, Unexpected) else None
        if not self._answers_by_value(metric):
            return None
        flags = as_flags(self._ask_by_value(metric, column, known, runtime))
        return (
            flags
            if flags is None
            else Unexpected(metric, column.distinct.rows_with(flags), rows - len(nulls))
        )

    def _judge_compound(self, metric: MetricConfiguration) -> Unexpected | None:
        domain = metric.metric_domain_kwargs
        columns = [self._frame.columns[name] for name in domain["column_list"]]
        if any(column.is_floating for column in columns):
            return None
        nulls = [column.null_positions for column in columns]
        counts = np.bincount(np.concatenate(nulls), minlength=self._frame.row_count)
        least = {"any_value_is_missing": 1, "all_values_are_missing": len(columns)}
        ignored = domain.get("ignore_row_if")
        if ignored == "never":
            left_out = np.empty(0, np.int64)
        elif ignored in least:
            left_out = np.flatnonzero(counts >= least[ignored])
        else:
            return None
        positions = repeated_positions(columns, left_out)
        return Unexpected(metric, positions, self._frame.row_count - len(left_out))

    def _ask_by_value(self, metric: MetricConfiguration, column: Column, known: Known, runtime: Any) -> Any:
        """GX's condition over the distinct values of the column."""
        if column.name not in self._by_value:
            self._by_value[column.name] = engine_over(pd.DataFrame({column.name: column.distinct.values}))
        engine = self._by_value[column.name]
        inputs = {
            name: ask_gx(value.metric, engine, inputs_of(value.metric, known), runtime)
            if isinstance(value, Deferred)
            else value
            for name, value in inputs_of(metric, known).items()
        }
        return ask_gx(metric, engine, inputs, runtime)[0]

    def _derive(self, metric: MetricConfiguration, found: Unexpected, known: Known, runtime: Any) -> Any:
        """What GX makes of a condition, by GX's own function, over the unexpected rows alone."""
        kind = metric.metric_name.rpartition(".")[2]
        if kind == "unexpected_count":
            return len(found.positions)
        if kind == "filtered_row_count":
            return found.judged
        form, positions = metric.metric_value_kwargs["result_format"], found.positions
        is_complete = form["result_format"] == "COMPLETE"
        if kind == "unexpected_index_list" and not form.get("unexpected_index_column_names"):
            return (positions if is_complete else positions[: form["partial_unexpected_count"]]).tolist()
        most = _MOST_SHOWN if is_complete else form["partial_unexpected_count"]
        if kind in {"unexpected_values", "unexpected_rows"} and most >= 0:
            positions = positions[:most]
        if kind == "unexpected_index_query" and form.get("return_unexpected_index_query") is False:
            positions = positions[:0]  # not asked for: GX's function answers without looking
        rows = self._frame.part(positions)
        accessors = {k: v for k, v in found.metric.metric_domain_kwargs.items() if k in _ACCESSORS}
        condition = (pd.Series(True, index=rows.index), {"batch_id": BATCH}, accessors)
        inputs = inputs_of(metric, known) | {"unexpected_condition": condition}
        return ask_gx(metric, engine_over(rows), inputs, runtime)

    def _resolve_as_gx_does(self, metric: MetricConfiguration, known: Known, runtime: Any) -> Any:
        inputs = self._in_gx_terms(metric, known, runtime)
        if "unexpected_condition" in metric.metric_dependencies:  # may show any column of the rows
            return engine_over(self._frame.whole()).resolve_metrics([metric], inputs, runtime)[metric.id]
        return shortened(metric, super().resolve_metrics([metric], inputs, runtime)[metric.id])

    def _in_gx_terms(
        self, metric: MetricConfiguration, known: Known, runtime: Any
    ) -> dict[MetricConfigurationID, Any]:
        """`known`, with GX's own value in place of ours wherever the metric depends on one."""
        values = dict(known)
        for needed in metric.metric_dependencies.values():
            if isinstance(value := values.get(needed.id), Unexpected | Deferred):
                inputs = self._in_gx_terms(value.metric, known, runtime)
                values |= super().resolve_metrics([value.metric], inputs, runtime)
        return values

    def _answers_by_value(self, metric: MetricConfiguration) -> bool:
        name, domain = metric.metric_name, metric.metric_domain_kwargs
        if name not in BY_VALUE | MAPS_BY_VALUE or domain.get("row_condition"):
            return False
        column = self._frame.columns.get(domain.get("column"))
        return column is not None and not _is_vectorised(name, column) and column.has_repeats

    def _encode_ahead(self, wanted: Iterable[MetricConfiguration]) -> None:
        """Find the distinct values of several columns at once: Arrow does not hold Python's lock."""
        names = {metric.metric_domain_kwargs["column"] for metric in wanted if self._answers_by_value(metric)}
        if len(names) > 1 and self._frame.row_count > _WORTH_A_THREAD:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda name: self._frame.columns[name].distinct, names))


class _LazyBatch(PandasBatchData):
    """All rows and columns, for whatever asks GX's engine for its batch."""

    def __init__(self, engine: ArrowEngine, frame: Frame):
        super().__init__(execution_engine=engine, dataframe=None)
        self._frame = frame

    @property
    def dataframe(self) -> pd.DataFrame:
        return self._frame.whole()


def _is_vectorised(metric_name: str, column: Column) -> bool:
    return str(column.dtype) in VECTORISED.get(metric_name, ())


def _named(domain: Mapping[str, Any]) -> list[str]:
    single = [domain[key] for key in ("column", "column_A", "column_B") if key in domain]
    return [*single, *domain.get("column_list", ())]


def _is_known(domain: Mapping[str, Any], frame: Frame) -> bool:
    return all(name in frame.columns for name in _named(domain))


def _columns_of(domain: Mapping[str, Any], frame: Frame) -> list[str] | None:
    """The columns a domain is about; None for all, where it names none, or does more than name them."""
    names = _named(domain)
    return names if names and not domain.get("row_condition") and _is_known(domain, frame) else None
