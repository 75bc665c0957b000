"""An expectation that GX's own gallery has no equal for; importing this module registers it with GX."""

from typing import Any, ClassVar, Literal

import pandas as pd
from great_expectations.compatibility import pydantic
from great_expectations.core.suite_parameters import SuiteParameterDict
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import ColumnPairMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnPairMapMetricProvider,
    column_pair_condition_partial,
)

_METRIC = "column_pair_values.age_on_date_at_least"


class ColumnPairValuesAgeOnDateAtLeast(ColumnPairMapMetricProvider):
    condition_metric_name = _METRIC
    condition_domain_keys = (
        "batch_id",
        "table",
        "column_A",
        "column_B",
        "row_condition",
        "condition_parser",
        "ignore_row_if",
    )
    condition_value_keys = ("min_age", "as_of")

    @column_pair_condition_partial(engine=PandasExecutionEngine)  # which makes it a class method
    def _pandas(cls, ages: pd.Series, dates: pd.Series, min_age: int, as_of: str, **_: Any) -> pd.Series:  # noqa: N805
        today = pd.Timestamp(as_of)
        is_before_anniversary = dates.dt.month * 100 + dates.dt.day > today.month * 100 + today.day
        completed_years = today.year - dates.dt.year - is_before_anniversary
        return ages - completed_years >= min_age


class ExpectColumnPairAgeOnDateToBeAtLeast(ColumnPairMapExpectation):
    """Expect people who are `column_A` years old on the date `as_of` to have reached `min_age` on `column_B`.

    Only whole years are known, so a row fails when no birthday could make it true: age less the years
    completed between `column_B` and `as_of` is below `min_age`.
    """

    min_age: int | SuiteParameterDict
    as_of: str | SuiteParameterDict
    ignore_row_if: Literal["both_values_are_missing", "either_value_is_missing", "neither"] = pydantic.Field(
        default="either_value_is_missing"
    )

    map_metric: ClassVar[str] = _METRIC
    success_keys: ClassVar[tuple[str, ...]] = ("min_age", "as_of", "ignore_row_if", "mostly")
    domain_keys: ClassVar[tuple[str, ...]] = (
        "batch_id",
        "column_A",
        "column_B",
        "row_condition",
        "condition_parser",
        "ignore_row_if",
    )
