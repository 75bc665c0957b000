"""What is known of Great Expectations' metrics, what its conditions come to, and how GX is asked for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.registry import get_metric_provider
from great_expectations.validator.metric_configuration import MetricConfiguration, MetricConfigurationID

# Conditions of GX that look at one value at a time, so that a column's distinct values answer for its rows.
# Each was read in GX 1.24.1, great_expectations/expectations/metrics/column_map_metrics.
BY_VALUE = frozenset(
    f"column_values.{name}.condition"
    for name in (
        "between",
        "dateutil_parseable",
        "in_set",
        "in_type_list",
        "json_parseable",
        "match_json_schema",
        "match_regex",
        "match_regex_list",
        "match_strftime_format",
        "not_in_set",
        "not_match_regex",
        "not_match_regex_list",
        "of_type",
        "value_length.between",
        "value_length.equals",
    )
)
MAPS_BY_VALUE = frozenset({"column_values.value_length.map"})
# Of these GX's pandas code is as fast as numpy, on these types.
VECTORISED = {"column_values.between.condition": ("int64", "float64", "datetime64[ns]")}
# pandas' own aggregates. GX first looks at each number in Python, whether it is a Decimal: of these none is.
AGGREGATES = {"column.mean": "mean", "column.standard_deviation": "std", "column.sum": "sum"}
NUMBERS = ("int64", "Int64", "float64")
BATCH = "batch"  # the id under which an engine holds its only batch

Known = Mapping[MetricConfigurationID, Any]


@dataclass(frozen=True, slots=True)
class Unexpected:
    """A condition's answer: positions (int64, ascending) of the rows that do not meet it.

    `judged` is how many rows were looked at: those that the domain did not leave out.
    """

    metric: MetricConfiguration
    positions: np.ndarray
    judged: int


@dataclass(frozen=True, slots=True)
class Deferred:
    """A map of values (their lengths, say) that the condition after it makes for itself."""

    metric: MetricConfiguration


def engine_over(rows: pd.DataFrame) -> PandasExecutionEngine:
    return PandasExecutionEngine(batch_data_dict={BATCH: rows})


def ask_gx(
    metric: MetricConfiguration, engine: PandasExecutionEngine, inputs: Mapping[str, Any], runtime: Any
) -> Any:
    """GX's own value of a metric, over whatever rows `engine` holds."""
    metric_class, metric_fn = get_metric_provider(metric.metric_name, engine)
    return metric_fn(
        cls=metric_class,
        execution_engine=engine,
        metric_domain_kwargs=metric.metric_domain_kwargs,
        metric_value_kwargs=metric.metric_value_kwargs,
        metrics=inputs,
        runtime_configuration=runtime,
    )


def inputs_of(metric: MetricConfiguration, known: Known) -> dict[str, Any]:
    """What a metric depends on, by name."""
    needed = metric.metric_dependencies.items()
    return {name: known[dependency.id] for name, dependency in needed if dependency.id in known}


def as_flags(condition: Any) -> np.ndarray | None:
    """A condition as a boolean array; None if it is anything else, which only GX's own code reads alike."""
    if isinstance(condition, pd.Series) and condition.dtype == "boolean" and not condition.isna().any():
        return condition.to_numpy(bool)
    flags = np.asarray(condition)
    return flags if flags.dtype == bool else None


def shortened(metric: MetricConfiguration, value: Any) -> Any:
    """GX's own value of a condition as the positions it comes to, where they say it all; else as it is."""
    if not metric.metric_name.endswith(".condition") or not isinstance(value[0], pd.Series):
        return value
    flags = as_flags(value[0])
    if flags is None:
        return value
    return Unexpected(metric, np.asarray(value[0].index[flags], np.int64), len(flags))
