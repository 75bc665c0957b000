"""The engine's law: every result is the one that plain Great Expectations gives, in all fields."""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import great_expectations as gx
import numpy as np
import pyarrow as pa
import pytest
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import (
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    MulticolumnMapExpectation,
)
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.registry import (
    get_expectation_impl,
    list_registered_expectation_implementations,
)
from great_expectations.validator.validator import Validator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.quality.arrow_engine import ArrowEngine
from etl.quality.frame import to_frame
from scripts.bench.gate_rows import dirty_people

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
SEARCH = settings(
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize=True,
)
_NEED_A_DATABASE = {
    "expect_query_results_to_match_comparison",
    "expect_table_row_count_to_equal_other_table",
    "unexpected_rows_expectation",
}


def gallery() -> list[str]:
    """The types of GX's core gallery that apply to a table that is not in a database."""
    known = list_registered_expectation_implementations()
    core = "great_expectations.expectations.core."
    ours = [name for name in known if get_expectation_impl(name).__module__.startswith(core)]
    return sorted(set(ours) - _NEED_A_DATABASE)


class QuietValidator(Validator):
    def _determine_progress_bars(self) -> bool:
        return False


@pytest.fixture(autouse=True)
def _quiet_gx() -> None:
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)


# A column of each type, with and without null; few values, so that they repeat and meet in comparisons.
_texts = st.sampled_from(
    ["", "a", "A", "ab", "é", "e\u0301", "Ω", " a", "a\n", "12", "2026-11-24", '{"a": 1}']
)
_wholes = st.integers(-2, 5) | st.sampled_from([2**30, -(2**30), 2**53 + 1])
_reals = st.sampled_from([0.0, -0.0, 1.5, 2.0, -1e300, float("nan"), float("inf")])
_days = st.sampled_from([date(2026, 1, 1), date(2026, 11, 24), date(1999, 12, 31), date(2024, 2, 29)])
_moments = st.sampled_from([datetime(2026, 1, 1), datetime(2026, 11, 24, 13, 5, 7, 42), datetime(1970, 1, 1)])
_prices = st.sampled_from([Decimal("0.00"), Decimal("1.50"), Decimal("-2.25"), Decimal("5.00")])
_COLUMNS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "text": (pa.string(), _texts | st.none()),
    "word": (pa.string(), _texts),
    "count": (pa.int64(), _wholes | st.none()),
    "whole": (pa.int64(), _wholes),
    "real": (pa.float64(), _reals | st.none()),
    "ratio": (pa.float64(), st.sampled_from([0.25, 0.5, 2.0])),
    "flag": (pa.bool_(), st.booleans() | st.none()),
    "sure": (pa.bool_(), st.booleans()),
    "day": (pa.date32(), _days | st.none()),
    "any_day": (pa.date32(), _days | st.just(date(1066, 10, 14))),
    "moment": (pa.timestamp("us"), _moments | st.none()),
    "price": (pa.decimal128(9, 2), _prices | st.none()),
}


@st.composite
def frames(draw: st.DrawFn) -> pa.Table:
    """No, one or a few rows; in one chunk or in several."""
    rows = draw(st.sampled_from([0, 1, 2, 5, 9]))
    columns = {
        name: pa.array(draw(st.lists(values, min_size=rows, max_size=rows)), kind)
        for name, (kind, values) in _COLUMNS.items()
    }
    table = pa.table(columns)
    cut = draw(st.integers(0, rows))
    return pa.concat_tables([table.slice(0, cut), table.slice(cut)])


_column = st.sampled_from([*_COLUMNS])
_bounds = {
    "number": st.none() | st.integers(-2, 5) | st.sampled_from([0.5, 1.5]),
    "moment": st.none() | st.sampled_from(["2026-01-01T00:00:00", "2026-11-24T13:00:00"]),
    "text": st.none() | st.sampled_from(["a", "b", "2026"]),
}
_values = st.lists(_texts | _wholes | _reals | st.booleans() | st.just("2026-01-01T00:00:00"), max_size=4)
_regex = st.sampled_from(["^a", "[a-z]+$", r"\d", r"^[^\W\d_]+\Z", "(?i)A", "^$", r"a(?=b)", "("])
_columns = st.lists(_column, min_size=2, max_size=3, unique=True)
_ignored_pairs = st.sampled_from(["both_values_are_missing", "either_value_is_missing", "neither"])
_ignored_lists = st.sampled_from(["all_values_are_missing", "any_value_is_missing", "never"])
_types = st.sampled_from(["int64", "float64", "str", "bool", "object", "datetime64[ns]", "Decimal", "quux"])


@st.composite
def _between(draw: st.DrawFn, kinds: Sequence[str] = ("number",)) -> dict[str, Any]:
    bound = _bounds[draw(st.sampled_from(kinds))]
    kwargs = {"min_value": draw(bound), "max_value": draw(bound)}
    return kwargs | {name: draw(st.booleans()) for name in ("strict_min", "strict_max")}


def _some(**kwargs: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {k: v if isinstance(v, st.SearchStrategy) else st.just(v) for k, v in kwargs.items()}
    )


def _pair(**kwargs: Any) -> st.SearchStrategy[dict[str, Any]]:
    return _some(column_A=_column, column_B=_column, ignore_row_if=_ignored_pairs, **kwargs)


def _list(**kwargs: Any) -> st.SearchStrategy[dict[str, Any]]:
    return _some(column_list=_columns, ignore_row_if=_ignored_lists, **kwargs)


_plain_bounds = _between()
_quantiles = {"quantiles": [0.0, 0.33, 0.5, 1.0], "value_ranges": [[0, 1], [None, 2], [0, None], [-5, 5]]}
_partitions = st.sampled_from(
    [
        {"values": ["a", "ab"], "weights": [0.5, 0.5]},
        {"bins": [-2, 0, 2, 6], "weights": [0.25, 0.5, 0.25]},
    ]
)
_ARGUMENTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "expect_column_kl_divergence_to_be_less_than": _some(partition_object=_partitions, threshold=0.1),
    "expect_column_max_to_be_between": _between(("number", "moment")),
    "expect_column_min_to_be_between": _between(("number", "moment")),
    "expect_column_most_common_value_to_be_in_set": _some(value_set=_values, ties_okay=st.booleans()),
    "expect_column_pair_values_a_to_be_greater_than_b": _pair(or_equal=st.booleans()),
    "expect_column_pair_values_to_be_equal": _pair(),
    "expect_column_pair_values_to_be_in_set": _pair(
        value_pairs_set=st.lists(st.tuples(_texts | _wholes, _texts | _wholes), max_size=3)
    ),
    "expect_column_quantile_values_to_be_between": _some(quantile_ranges=_quantiles),
    "expect_column_to_exist": _some(
        column=_column | st.just("nowhere"), column_index=st.none() | st.integers(0, 3)
    ),
    "expect_column_type_to_be": _some(type_=_types),
    "expect_column_value_lengths_to_be_between": _between(),
    "expect_column_value_lengths_to_equal": _some(value=st.integers(0, 3)),
    "expect_column_value_z_scores_to_be_less_than": _some(threshold=1.0, double_sided=st.booleans()),
    "expect_column_values_to_be_between": _between(("number", "moment")),
    "expect_column_values_to_be_in_type_list": _some(type_list=st.lists(_types, min_size=1, max_size=3)),
    "expect_column_values_to_be_increasing": _some(strictly=st.booleans()),
    "expect_column_values_to_be_decreasing": _some(strictly=st.booleans()),
    "expect_column_values_to_be_of_type": _some(type_=_types),
    "expect_column_values_to_match_json_schema": _some(
        json_schema=st.sampled_from([{"type": "number"}, {"type": "object", "required": ["a"]}])
    ),
    "expect_column_values_to_match_strftime_format": _some(
        strftime_format=st.sampled_from(["%Y-%m-%d", "%H"])
    ),
    "expect_column_values_to_not_be_outliers": _some(
        method=st.sampled_from(["iqr", "std"]), multiplier=st.sampled_from([0.5, 1.5])
    ),
    "expect_compound_columns_to_be_unique": _list(),
    "expect_multicolumn_sum_to_equal": _list(sum_total=st.integers(0, 3)),
    "expect_multicolumn_values_to_be_equal": _list(),
    "expect_select_column_values_to_be_unique_within_record": _list(),
    "expect_table_column_count_to_equal": _some(value=st.sampled_from([len(_COLUMNS), 1])),
    "expect_table_columns_to_match_ordered_list": _some(column_list=st.sampled_from([[*_COLUMNS], ["text"]])),
    "expect_table_columns_to_match_set": _some(
        column_set=st.sampled_from([[*_COLUMNS], ["text", "nowhere"]]), exact_match=st.booleans()
    ),
    "expect_table_row_count_to_equal": _some(value=st.integers(0, 9)),
}
# By the name of an argument, for the expectations that are not above.
_BY_ARGUMENT: dict[str, st.SearchStrategy[Any]] = {
    "value_set": _values,
    "regex": _regex,
    "regex_list": st.lists(_regex, min_size=1, max_size=2),
    "match_on": st.sampled_from(["any", "all"]),
    "like_pattern": st.just("a%"),
    "like_pattern_list": st.just(["a%", "%b"]),
    "min_value": st.integers(0, 3),
    "max_value": st.integers(0, 5),
    "strict_min": st.booleans(),
    "strict_max": st.booleans(),
}
_conditions = st.sampled_from(
    [
        {"type": "comparison", "column": {"name": "whole"}, "operator": ">", "parameter": 0},
        {"type": "nullity", "column": {"name": "text"}, "is_null": False},
        {"type": "comparison", "column": {"name": "word"}, "operator": "==", "parameter": "a"},
    ]
)
_FORMATS = [
    *({"result_format": name} for name in ("BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE")),
    {"result_format": "BASIC", "partial_unexpected_count": 0},
    {"result_format": "SUMMARY", "partial_unexpected_count": 1, "return_unexpected_index_query": False},
    {
        "result_format": "COMPLETE",
        "unexpected_index_column_names": ["whole"],
        "include_unexpected_rows": True,
    },
    {"result_format": "COMPLETE", "exclude_unexpected_values": True},
]


@st.composite
def configurations(draw: st.DrawFn, kind: str) -> ExpectationConfiguration | None:
    """An expectation of this type with arguments; None where GX itself would not take them."""
    expectation = get_expectation_impl(kind)
    fields = expectation.__fields__
    if kind in _ARGUMENTS:
        kwargs = draw(_ARGUMENTS[kind])
    else:
        kwargs = {name: draw(values) for name, values in _BY_ARGUMENT.items() if name in fields}
    if "column" in fields and "column" not in kwargs:
        kwargs["column"] = draw(_column)
    rows_judged = (ColumnMapExpectation, ColumnPairMapExpectation, MulticolumnMapExpectation)
    if issubclass(expectation, rows_judged):
        kwargs["mostly"] = draw(st.sampled_from([1.0, 0.5, 0.0]))
    if "row_condition" in fields and draw(st.integers(0, 3)) == 0:
        kwargs["row_condition"] = draw(_conditions)
    try:
        expectation(**kwargs)
    except (ValueError, TypeError):
        return None
    return ExpectationConfiguration(type=kind, kwargs=kwargs)


def results_of(
    engine: PandasExecutionEngine, expectations: Sequence[ExpectationConfiguration], form: Mapping[str, Any]
) -> str:
    """GX's results as JSON; of exceptions all but the traceback and the engine's name."""
    validator = QuietValidator(execution_engine=engine)
    evaluated = validator.process_expectations_for_validation(list(expectations), {})
    found = validator.graph_validate(evaluated, {"result_format": dict(form)})
    results = [result.to_json_dict() for result in found]
    # GX leaves some values that JSON does not know, such as numpy's booleans: compared with their type.
    told = json.dumps(_without_tracebacks(results), sort_keys=True, indent=1, default=repr)
    return told.replace(f"using {type(engine).__name__}", "using this engine")


def _without_tracebacks(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_tracebacks(v) for k, v in value.items() if k != "exception_traceback"}
    return [_without_tracebacks(inner) for inner in value] if isinstance(value, list) else value


def plain_engine(rows: pa.Table) -> PandasExecutionEngine:
    return PandasExecutionEngine(batch_data_dict={"batch": to_frame(rows)})


@pytest.mark.parametrize("kind", gallery())
@SEARCH
@given(data=st.data())
def test_every_result_is_plain_gx_s(kind: str, data: st.DataObject):
    """Of any expectation over any rows, in any result format, the JSON is GX's on pandas."""
    expectation = data.draw(configurations(kind))
    if expectation is None:
        return
    rows, form = data.draw(frames()), data.draw(st.sampled_from(_FORMATS))

    assert results_of(ArrowEngine(rows), [expectation], form) == results_of(
        plain_engine(rows), [expectation], form
    )


def _shipped_kind_of_suite() -> list[ExpectationConfiguration]:
    kwargs: list[tuple[str, dict[str, Any]]] = [
        ("expect_table_row_count_to_be_between", {"min_value": 1}),
        ("expect_column_values_to_not_be_null", {"column": "first_name"}),
        (
            "expect_column_value_lengths_to_be_between",
            {"column": "first_name", "min_value": 2, "max_value": 99},
        ),
        ("expect_column_values_to_match_regex", {"column": "last_name", "regex": r"^[^\d]*\Z"}),
        ("expect_column_values_to_be_between", {"column": "age", "min_value": 17, "max_value": 67}),
        ("expect_column_values_to_be_between", {"column": "salary", "min_value": 0}),
        (
            "expect_column_values_to_be_in_set",
            {"column": "department", "value_set": ["Sales", "Data", "Legal"]},
        ),
        (
            "expect_column_values_to_be_between",
            {"column": "hire_date", "min_value": "1960-01-01T00:00:00", "max_value": "2026-11-24T00:00:00"},
        ),
        ("expect_column_mean_to_be_between", {"column": "salary", "min_value": 1, "max_value": 9}),
        ("expect_column_values_to_be_unique", {"column": "last_name"}),
        ("expect_compound_columns_to_be_unique", {"column_list": ["first_name", "last_name", "age"]}),
    ]
    return [ExpectationConfiguration(type=kind, kwargs=arguments) for kind, arguments in kwargs]


@pytest.mark.parametrize("form", _FORMATS[:5], ids=str)
def test_many_rows_in_many_chunks_are_judged_alike(form: dict[str, Any]):
    """Where columns are sampled and read in threads, the results of a whole suite are GX's too."""
    rows = dirty_people(150_000, date(2026, 11, 24))
    unique = pa.array([f"Núñez {number}" for number in range(150_000)])  # hardly a value twice
    rows = rows.set_column(1, "last_name", unique)
    chunks = pa.concat_tables([rows.slice(0, 1), rows.slice(1, 70_000), rows.slice(70_001)])
    engine = ArrowEngine(chunks)

    assert results_of(engine, _shipped_kind_of_suite(), form) == results_of(
        plain_engine(rows), _shipped_kind_of_suite(), form
    )


@pytest.mark.parametrize("kind", ["mean", "stdev", "sum"])
@pytest.mark.parametrize("seed", range(4))
def test_numbers_are_added_up_in_the_order_of_gx(kind: str, seed: int):
    """Of many numbers with nulls among them the last digit is GX's too: a bound may lie there."""
    random = np.random.default_rng(seed)
    prices = np.round(random.normal(50_000, 9_999, 5_000), 2)
    is_null = random.random(5_000) < 0.1
    rows = pa.table(
        {
            "price": pa.array(prices, mask=is_null),
            "cents": pa.array((prices * 1e9).astype(np.int64), mask=is_null),
        }
    )
    expectations = [
        ExpectationConfiguration(
            type=f"expect_column_{kind}_to_be_between", kwargs={"column": column, "min_value": 0}
        )
        for column in ("price", "cents")
    ]
    form = {"result_format": "COMPLETE"}

    assert results_of(ArrowEngine(rows), expectations, form) == results_of(
        plain_engine(rows), expectations, form
    )


def test_the_rows_that_failed_are_those_of_gx():
    """The positions kept for each expectation are the index list that plain GX gives."""
    rows = dirty_people(3_000, date(2026, 11, 24))
    form = {"result_format": "COMPLETE", "exclude_unexpected_values": True}
    engine = ArrowEngine(rows)
    validator = QuietValidator(execution_engine=engine)
    evaluated = validator.process_expectations_for_validation(_shipped_kind_of_suite(), {})
    results = validator.graph_validate(evaluated, {"result_format": "BASIC"})
    plain = json.loads(results_of(plain_engine(rows), _shipped_kind_of_suite(), form))
    expected = [result["result"].get("unexpected_index_list") for result in plain]
    found = [engine.rows_unexpected(result) for result in results]

    assert [None if rows is None else rows.tolist() for rows in found] == [
        e if f is not None else None for e, f in zip(expected, found, strict=True)
    ]
    assert sum(rows is not None for rows in found) == 9
    assert sum(len(rows) for rows in found if rows is not None) > 100


def test_what_is_not_known_falls_back_and_is_counted():
    """A metric the engine does not know is computed by GX's pandas code, and named."""
    rows = pa.table({"whole": pa.array([1, 2, 4]), "day": pa.array([1, 2, 3], pa.date32())})
    engine = ArrowEngine(rows)
    kinds = [
        ExpectationConfiguration(
            type="expect_column_median_to_be_between", kwargs={"column": "whole", "min_value": 1}
        ),
        ExpectationConfiguration(type="expect_column_values_to_be_increasing", kwargs={"column": "whole"}),
        ExpectationConfiguration(type="expect_column_values_to_be_unique", kwargs={"column": "whole"}),
    ]
    results_of(engine, kinds, {"result_format": "BASIC"})

    assert "column.median" in engine.usage.fallback
    assert "column_values.increasing.condition" in engine.usage.fallback
    assert not [name for name in engine.usage.fallback if "unique" in name]
    assert engine.usage.fast > 0


def test_metrics_that_need_a_condition_itself_get_gx_s_own():
    """Whoever depends on a condition or a map of GX is given GX's value, not the short form of it."""
    rows = pa.table({"word": ["a", None, "bcd"]})
    engine = ArrowEngine(rows)
    seen: list[Any] = []

    from great_expectations.expectations.metrics.metric_provider import MetricProvider, metric_value
    from great_expectations.validator.metric_configuration import MetricConfiguration

    class Curious(MetricProvider):
        metric_name = "column_values.curious"

        @metric_value(engine=PandasExecutionEngine)
        def _pandas(*, metrics: dict[str, Any], **_: Any) -> int:
            seen.append(metrics["lengths"])
            return 1

    domain = {"column": "word", "batch_id": "batch"}
    types = MetricConfiguration("table.column_types", {"batch_id": "batch"}, {"include_nested": True})
    names = MetricConfiguration("table.columns", {"batch_id": "batch"})
    names.metric_dependencies = {"table.column_types": types}
    lengths = MetricConfiguration("column_values.value_length.map", domain)
    lengths.metric_dependencies = {"table.columns": names}
    curious = MetricConfiguration("column_values.curious", domain)
    curious.metric_dependencies = {"lengths": lengths}
    known: dict[Any, Any] = {}
    for metric in (types, names, lengths, curious):
        known |= engine.resolve_metrics([metric], known)

    assert seen[0][0].tolist() == [1, 3]


def test_the_gallery_has_no_expectation_that_this_test_does_not_draw():
    """A new version of GX that brings new arguments is noticed: each required one has values to draw."""
    missing = {
        kind: [
            name
            for name, field in get_expectation_impl(kind).__fields__.items()
            if field.required and name not in {*_BY_ARGUMENT, "column"}
        ]
        for kind in gallery()
        if kind not in _ARGUMENTS
    }

    assert gx.__version__ == "1.24.1"
    assert len(gallery()) == 56
    assert {kind: names for kind, names in missing.items() if names} == {}


def test_compound_keys_too_wide_for_one_number_are_told_apart():
    """Three columns of 31 bits each do not fit 64; rows are equal when all three are, and only then."""
    wide = [0, 2**31 - 2, 7]
    rows = pa.table(
        {name: pa.array([a, b, 7, a]) for name, (a, b) in zip("xyz", [wide[:2]] * 3, strict=True)}
    )
    expectation = ExpectationConfiguration(
        type="expect_compound_columns_to_be_unique", kwargs={"column_list": ["x", "y", "z"]}
    )
    engine = ArrowEngine(rows)
    results_of(engine, [expectation], {"result_format": "BASIC"})

    assert [rows.tolist() for rows in engine.unexpected.values()] == [[0, 3]]
    assert np.concatenate([*engine.unexpected.values()]).dtype == np.int64
