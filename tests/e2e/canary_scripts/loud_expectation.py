"""Put before the deployed gate script: an expectation that fails with all the values in its message."""

from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    column_condition_partial,
)


class ColumnValuesLoud(ColumnMapMetricProvider):
    condition_metric_name = "column_values.loud"

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column, **_):  # noqa: N805
        raise ValueError(f"cannot judge {column.tolist()}")


class ExpectColumnValuesToBeLoud(ColumnMapExpectation):
    map_metric = "column_values.loud"
