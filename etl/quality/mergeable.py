"""Expectations whose answers over the parts of a file can be put together to the answer over all of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from etl.contract import Contract
from etl.custom_properties import Engine

# They look at one row at a time.
_OF_ROWS = frozenset(
    f"expect_{name}"
    for name in (
        "column_pair_age_on_date_to_be_at_least",
        "column_pair_values_a_to_be_greater_than_b",
        "column_pair_values_to_be_equal",
        "column_pair_values_to_be_in_set",
        "column_value_lengths_to_be_between",
        "column_value_lengths_to_equal",
        "column_values_to_be_between",
        "column_values_to_be_dateutil_parseable",
        "column_values_to_be_in_set",
        "column_values_to_be_in_type_list",
        "column_values_to_be_json_parseable",
        "column_values_to_be_null",
        "column_values_to_be_of_type",
        "column_values_to_match_json_schema",
        "column_values_to_match_regex",
        "column_values_to_match_regex_list",
        "column_values_to_match_strftime_format",
        "column_values_to_not_be_in_set",
        "column_values_to_not_be_null",
        "column_values_to_not_match_regex",
        "column_values_to_not_match_regex_list",
        "multicolumn_sum_to_equal",
        "multicolumn_values_to_be_equal",
        "select_column_values_to_be_unique_within_record",
    )
)
# Rows that stand twice are found by what etl/spark groups, by their values.
UNIQUE = frozenset({"expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique"})
_OF_WHOLE_NUMBERS = frozenset({"expect_column_mean_to_be_between", "expect_column_sum_to_be_between"})
_OF_ALL = frozenset(
    f"expect_{name}"
    for name in (
        "column_max_to_be_between",
        "column_min_to_be_between",
        "column_proportion_of_non_null_values_to_be_between",
        "column_to_exist",
        "column_type_to_be",
        "table_column_count_to_be_between",
        "table_column_count_to_equal",
        "table_columns_to_match_ordered_list",
        "table_columns_to_match_set",
        "table_row_count_to_be_between",
        "table_row_count_to_equal",
    )
)


def lint_for_engine(entry: Mapping[str, Any], contract: Contract) -> Iterator[str]:
    """What speaks against evaluating the expectation on Spark, if the contract may ask for it."""
    if contract.engine is Engine.SINGLE_NODE:
        return
    type_, kwargs = entry.get("type"), entry["kwargs"]
    where = f"with engine: {contract.engine}"
    types = {column.name: column.type for column in contract.columns}
    if type_ not in _OF_ROWS | UNIQUE | _OF_WHOLE_NUMBERS | _OF_ALL:
        yield f"{type_} cannot be evaluated {where}, where no process has all rows"
    elif type_ in _OF_WHOLE_NUMBERS and types.get(str(kwargs.get("column"))) != "bigint":
        yield f"{type_} {where} needs a bigint column: the sum of others depends on the order of the rows"
    elif type_ not in _OF_ROWS and kwargs.get("row_condition"):
        yield f"{type_} cannot have a row_condition {where}"
    columns = kwargs.get("column_list") or [kwargs.get("column")]
    if type_ in UNIQUE and any(types.get(str(name)) == "double" for name in columns):
        yield f"{type_} {where} cannot compare doubles: 0.0 and -0.0 are equal, and look different"
