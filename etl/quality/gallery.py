"""What is known of Great Expectations' expectation types, and of the arguments that name columns."""

from collections.abc import Iterator, Mapping
from typing import Any

_SINGLE_COLUMNS = ("column", "column_A", "column_B")
_COLUMN_LISTS = ("column_list", "column_set")


def find_class(expectation_type: object) -> type | None:
    from great_expectations.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.registry import get_expectation_impl

    import etl.quality.age_on_date  # noqa: F401  registers it

    try:
        return get_expectation_impl(str(expectation_type))
    except ExpectationNotFoundError:
        return None


def judges_rows(expectation_type: str) -> bool:
    """Whether it says of each row if it is as expected, so that rows can be blamed."""
    from great_expectations.expectations.expectation import (
        ColumnMapExpectation,
        ColumnPairMapExpectation,
        MulticolumnMapExpectation,
    )

    maps = (ColumnMapExpectation, ColumnPairMapExpectation, MulticolumnMapExpectation)
    expectation_class = find_class(expectation_type)
    return expectation_class is not None and issubclass(expectation_class, maps)


def columns_of(kwargs: Mapping[str, Any]) -> Iterator[str]:
    """Every column that the arguments name: those it is about, then those of its row condition."""
    yield from subject_columns(kwargs)
    for comparison in comparisons(kwargs.get("row_condition")):
        if isinstance(column := comparison.get("column"), dict):
            yield str(column.get("name"))


def subject_columns(kwargs: Mapping[str, Any]) -> Iterator[str]:
    yield from (kwargs[argument] for argument in _SINGLE_COLUMNS if isinstance(kwargs.get(argument), str))
    for argument in _COLUMN_LISTS:
        names = kwargs.get(argument)
        yield from (name for name in names if isinstance(name, str)) if isinstance(names, list) else ()


def comparisons(condition: object) -> Iterator[Mapping[str, Any]]:
    """The leaves of a row condition: comparisons, and tests for null, joined under `conditions`."""
    if isinstance(condition, dict):
        inner = condition.get("conditions")
        if condition.get("type") in ("and", "or") and isinstance(inner, list):
            for one in inner:
                yield from comparisons(one)
        else:
            yield condition


def is_parameter(value: object) -> bool:
    """Whether an argument is one that is filled in when the suite is run."""
    return isinstance(value, dict) and value.keys() == {"$PARAMETER"}
