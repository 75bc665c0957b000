"""A suite over the parts of a file comes to the results, the rows and the page of one over the whole file."""

from __future__ import annotations

import functools
import itertools
import operator
import pickle
from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from builders import TODAY, a_contract, a_suite
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.custom_properties import Engine
from etl.errors import SuiteInvalid
from etl.quality.frame import form_of
from etl.quality.parts import examine_part, judge_parts
from etl.quality.suite import load_suite
from etl.quality.validate import validate_rows

pytestmark = pytest.mark.slow

CONTRACT = replace(
    a_contract(
        name="string",
        code="string",
        n="bigint",
        m="bigint",
        x="double",
        d="date",
        b="boolean",
        money="decimal(8,2)",
    ),
    engine=Engine.SPARK,
)


def expecting(kind: str, **kwargs: Any) -> dict[str, Any]:
    return {"type": f"expect_{kind}", "kwargs": kwargs}


STATED = [
    expecting("column_values_to_not_be_null", column="name", mostly=0.5),
    expecting("column_values_to_be_null", column="code"),
    expecting("column_values_to_match_regex", column="name", regex=r"^[^\W\d]+\Z"),
    expecting("column_values_to_be_in_set", column="code", value_set=["a", "b"]),
    expecting("column_value_lengths_to_be_between", column="name", max_value=2),
    expecting("column_values_to_be_between", column="n", min_value=0, max_value=10),
    expecting("column_values_to_be_between", column="x", min_value=0.5),
    expecting("column_values_to_be_between", column="d", max_value="2026-01-01T00:00:00"),
    expecting("column_values_to_be_in_type_list", column="n", type_list=["int64"]),
    expecting("column_values_to_be_in_type_list", column="d", type_list=["datetime64[ns]"]),
    expecting("column_values_to_be_of_type", column="b", type_="bool"),
    expecting("column_pair_values_a_to_be_greater_than_b", column_A="n", column_B="m"),
    expecting("column_pair_values_to_be_equal", column_A="n", column_B="m"),
    expecting("multicolumn_sum_to_equal", column_list=["n", "m"], sum_total=7),
    expecting("column_min_to_be_between", column="d", min_value="2000-01-01T00:00:00"),
    expecting("column_max_to_be_between", column="n", max_value=9),
    expecting("column_mean_to_be_between", column="m", max_value=4),
    expecting("column_sum_to_be_between", column="m", max_value=50),
    expecting("column_proportion_of_non_null_values_to_be_between", column="x", min_value=0.5),
    expecting("table_row_count_to_be_between", min_value=3, max_value=20),
    expecting("table_column_count_to_equal", value=8),
    expecting("column_to_exist", column="money"),
]
SUITE = load_suite(a_suite(*STATED, dataset="thing"), "suite.json", CONTRACT)

CELLS = {
    "name": st.sampled_from(["Zoë", "x1", "李", "a\n", ""]),
    "code": st.sampled_from(["a", "b", "c"]),
    "n": st.integers(-3, 12) | st.integers(-(2**62), 2**62),
    "m": st.integers(0, 9),
    "x": st.floats(allow_infinity=False),
    "d": st.dates(date(1600, 1, 1), date(2300, 1, 1)),
    "b": st.booleans(),
    "money": st.decimals(-999, 999, places=2, allow_nan=False),
}
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | cells for name, cells in CELLS.items()}), max_size=24
)


@settings(max_examples=4)
@given(ROWS, st.lists(st.integers(0, 24), max_size=2))
def test_parts_come_to_what_the_whole_comes_to(rows: list[dict[str, Any]], cuts: list[int]):
    """Nulls, and dates that nanoseconds cannot hold, in some parts only; parts without a row; any expectation
    that a contract with engine: spark may have."""
    schema = pa.schema([(column.name, column.arrow_type) for column in CONTRACT.columns])
    whole = pa.Table.from_pylist(rows, schema)
    ends = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    parts = [whole.slice(start, end - start) for start, end in itertools.pairwise(ends)]
    forms = {name: functools.reduce(operator.or_, (form_of(p[name]) for p in parts)) for name in schema.names}
    examined = [examine_part(part, forms, SUITE, TODAY, {}) for part in parts]
    examined = pickle.loads(pickle.dumps(examined))
    failed: Counter[str] = Counter()
    for part in examined:
        failed.update({name: len(positions) for name, positions in part.failed.items()})
    together = judge_parts(examined, failed, SUITE, CONTRACT, TODAY, {})
    alone = validate_rows(whole, SUITE, CONTRACT, TODAY, {})

    assert together.results == alone.results
    for told, expected in zip(together.outcomes, alone.outcomes, strict=True):
        assert replace(told, failed_rows=expected.failed_rows) == expected
        if expected.is_row_level:
            found = [
                start + p
                for start, part in zip(ends, examined, strict=False)
                for p in part.failed.get(told.name, ())
            ]
            assert found == expected.failed_rows.tolist()


@pytest.mark.parametrize(
    ("stated", "problem"),
    [
        (expecting("column_median_to_be_between", column="n"), "cannot be evaluated with engine: spark"),
        (expecting("column_values_to_be_increasing", column="n"), "cannot be evaluated with engine: spark"),
        (expecting("column_mean_to_be_between", column="x"), "needs a bigint column"),
        (expecting("column_values_to_be_unique", column="x"), "cannot compare doubles"),
        (
            expecting(
                "column_max_to_be_between",
                column="n",
                row_condition={"type": "nullity", "column": {"name": "m"}, "is_null": False},
            ),
            "cannot have a row_condition with engine: spark",
        ),
    ],
)
def test_what_parts_cannot_tell_is_refused_before(stated: dict[str, Any], problem: str):
    """What no rule puts together is an error of the suite, if the contract may ask for Spark."""
    with pytest.raises(SuiteInvalid, match=problem):
        load_suite(a_suite(stated, dataset="thing"), "suite.json", CONTRACT)
    load_suite(a_suite(stated, dataset="thing"), "suite.json", replace(CONTRACT, engine=Engine.SINGLE_NODE))
