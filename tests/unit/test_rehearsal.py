"""Suites are tried before they are deployed: what would break the gate every night breaks here."""

from dataclasses import replace
from typing import Any

import pytest
from builders import EXPECTATIONS, a_contract, a_suite, the_employee_contract

from etl.custom_properties import HistoryBand
from etl.quality.rehearsal import make_rows, rehearse
from etl.quality.suite import load_suite

BAND = HistoryBand.model_validate({"batches": 3, "rowCountBandPercent": 30, "nullRateBandPoints": 5})
THING = replace(
    a_contract(
        name="string",
        code="string",
        age="bigint",
        pay="double",
        flag="boolean",
        day="date",
        seen="timestamp",
        price="decimal(12,2)",
    ),
    history=BAND,
)
NOON = "2026-01-31T12:00:00"


def problems(*stated: tuple[str, dict[str, Any]]) -> tuple[str, ...]:
    entries = [{"type": f"expect_{name}", "kwargs": kwargs} for name, kwargs in stated]
    text = a_suite(*entries, dataset="thing")
    return rehearse(load_suite(text, "s", THING), THING)


def test_rows_are_of_the_contracts_types():
    """Every type a contract may have is made up, with a null where there may be one and distinct values."""
    rows = make_rows(THING.columns)

    assert rows.schema.types == [column.arrow_type for column in THING.columns]
    assert {column.null_count for column in rows.columns} == {1}
    assert len(set(rows["age"].to_pylist())) == rows.num_rows
    assert all(c.null_count == 0 for c in make_rows(the_employee_contract().columns).columns)


def test_the_employee_suite_can_be_evaluated():
    """Made-up people meet little of what is expected of employees, which is no problem of the suite."""
    contract = the_employee_contract()
    suite = load_suite((EXPECTATIONS / "employee" / "suite.json").read_text(), "s", contract)

    assert rehearse(suite, contract) == ()


@pytest.mark.parametrize(
    ("name", "kwargs", "problem"),
    [
        ("column_values_to_match_regex", {"column": "name", "regex": "(("}, "e0: it cannot be evaluated: "),
        ("column_values_to_be_between", {"column": "day", "min_value": "2020-01-01"}, "InvalidComparison"),
        ("column_values_to_be_between", {"column": "name", "min_value": 3}, "e0: it cannot be evaluated: "),
        ("column_mean_to_be_between", {"column": "name", "min_value": 3}, "e0: it cannot be evaluated: "),
    ],
)
def test_what_gx_refuses_only_when_it_evaluates(name: str, kwargs: dict[str, Any], problem: str):
    """Arguments that load well and would break the gate with the first batch are named at once."""
    assert problem in " ".join(problems((name, kwargs)))


USUAL_MIN, USUAL_MAX = ({"$PARAMETER": f"usual_rows_{end}"} for end in ("min", "max"))


def test_sound_expectations_of_the_whole_gallery_are_let_pass():
    """Made-up rows break no expectation that is well stated, whatever GX computes for it."""
    assert (
        problems(
            ("column_distinct_values_to_be_in_set", {"column": "age", "value_set": [1]}),
            ("column_distinct_values_to_contain_set", {"column": "name", "value_set": ["a"]}),
            ("column_distinct_values_to_equal_set", {"column": "flag", "value_set": [True]}),
            (
                "column_kl_divergence_to_be_less_than",
                {
                    "column": "name",
                    "threshold": 0.1,
                    "partition_object": {"values": ["a", "b"], "weights": [0.5, 0.5]},
                },
            ),
            ("column_max_to_be_between", {"column": "pay", "min_value": 1}),
            ("column_max_to_be_between", {"column": "seen", "max_value": {"$PARAMETER": "next_date"}}),
            ("column_mean_to_be_between", {"column": "pay", "min_value": 1}),
            ("column_median_to_be_between", {"column": "age", "min_value": 1}),
            ("column_min_to_be_between", {"column": "day", "min_value": NOON}),
            ("column_most_common_value_to_be_in_set", {"column": "code", "value_set": ["x"]}),
            (
                "column_quantile_values_to_be_between",
                {
                    "column": "pay",
                    "quantile_ranges": {"quantiles": [0.1, 0.9], "value_ranges": [[0, 1], [1, 9]]},
                },
            ),
            ("column_stdev_to_be_between", {"column": "pay", "min_value": 0}),
            ("column_sum_to_be_between", {"column": "age", "min_value": 0}),
            ("column_proportion_of_unique_values_to_be_between", {"column": "name", "min_value": 0.5}),
            (
                "column_proportion_of_non_null_values_to_be_between",
                {"column": "age", "min_value": {"$PARAMETER": "usual_non_null_min_age"}},
            ),
            ("column_unique_value_count_to_be_between", {"column": "name", "min_value": 2}),
            ("column_to_exist", {"column": "name"}),
            ("column_pair_values_a_to_be_greater_than_b", {"column_A": "age", "column_B": "pay"}),
            ("column_pair_values_to_be_equal", {"column_A": "name", "column_B": "code"}),
            (
                "column_pair_values_to_be_in_set",
                {"column_A": "name", "column_B": "code", "value_pairs_set": [["a", "b"]]},
            ),
            (
                "column_pair_age_on_date_to_be_at_least",
                {"column_A": "age", "column_B": "day", "as_of": {"$PARAMETER": "batch_date"}, "min_age": 16},
            ),
            ("column_value_lengths_to_be_between", {"column": "name", "min_value": 1}),
            ("column_value_lengths_to_equal", {"column": "code", "value": 3}),
            (
                "column_value_z_scores_to_be_less_than",
                {"column": "pay", "threshold": 2, "double_sided": True},
            ),
            ("column_values_to_be_between", {"column": "price", "min_value": 1}),
            ("column_values_to_be_between", {"column": "seen", "max_value": NOON, "strict_max": True}),
            ("column_values_to_be_in_set", {"column": "flag", "value_set": [True]}),
            ("column_values_to_not_be_in_set", {"column": "age", "value_set": [1]}),
            ("column_values_to_be_in_type_list", {"column": "age", "type_list": ["int64"]}),
            ("column_values_to_be_of_type", {"column": "age", "type_": "int64"}),
            ("column_values_to_be_null", {"column": "code"}),
            ("column_values_to_not_be_null", {"column": "code", "mostly": 0.9}),
            ("column_values_to_be_unique", {"column": "code"}),
            ("column_values_to_match_regex", {"column": "code", "regex": "^a\\Z"}),
            ("column_values_to_not_match_regex", {"column": "code", "regex": "a"}),
            ("column_values_to_match_regex_list", {"column": "code", "regex_list": ["a"]}),
            ("column_values_to_not_match_regex_list", {"column": "code", "regex_list": ["a"]}),
            ("compound_columns_to_be_unique", {"column_list": ["name", "age"]}),
            ("multicolumn_sum_to_equal", {"column_list": ["age", "pay"], "sum_total": 3}),
            ("select_column_values_to_be_unique_within_record", {"column_list": ["name", "code"]}),
            ("table_column_count_to_be_between", {"min_value": 1}),
            ("table_column_count_to_equal", {"value": 8}),
            ("table_columns_to_match_ordered_list", {"column_list": ["name"]}),
            ("table_columns_to_match_set", {"column_set": ["name"]}),
            ("table_row_count_to_be_between", {"min_value": USUAL_MIN, "max_value": USUAL_MAX}),
            ("table_row_count_to_be_between", {"min_value": USUAL_MIN}),
            ("table_row_count_to_be_between", {"max_value": USUAL_MAX}),
            ("table_row_count_to_equal", {"value": 3}),
            (
                "column_values_to_be_between",
                {
                    "column": "age",
                    "min_value": 3,
                    "row_condition": {
                        "type": "comparison",
                        "column": {"name": "code"},
                        "operator": "==",
                        "parameter": "nobody",  # no row is left to judge
                    },
                },
            ),
        )
        == ()
    )
