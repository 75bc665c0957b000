"""What may leave the lake: counts yes, values of private columns never."""

import json
import traceback
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from builders import a_gate_report

from etl.contract import load_contract
from etl.quality.data_docs import render_run_page
from etl.quality.redaction import WITHHELD, private_columns, redact_exception, redact_result
from etl.quality.suite import load_suite
from etl.quality.validate import Validation, validate_rows
from scripts.sample_people import people

FOLDER = Path(__file__).parents[2] / "expectations" / "employee"
TODAY = date(2026, 11, 24)
CANARY = "Cänary 4711"
CONTRACT = load_contract((FOLDER / "contract.yaml").read_text(), "employee/contract.yaml")
PRIVATE = private_columns(CONTRACT)


def validated(rows: pa.Table) -> Validation:
    suite = load_suite((FOLDER / "suite.json").read_text(), "employee/suite.json", CONTRACT)
    return validate_rows(rows, suite, CONTRACT, TODAY)


def test_private_columns_are_those_not_open_to_analysts():
    """PII is private, and so is what nobody classified."""
    text = (FOLDER / "contract.yaml").read_text().replace("classification: internal", "tags: []", 1)

    assert sorted(PRIVATE) == ["first_name", "last_name"]
    assert private_columns(load_contract(text, "c")) == {"first_name", "last_name", "age"}


def test_only_counts_of_a_result_are_kept():
    """Fields that GX may add tomorrow are left out until somebody allows them."""
    result = {
        "element_count": 3,
        "unexpected_count": 1,
        "unexpected_percent": 33.3,
        "unexpected_list": [CANARY],
        "partial_unexpected_list": [CANARY],
        "partial_unexpected_counts": [{"value": CANARY, "count": 1}],
        "unexpected_index_list": [2],
        "unexpected_index_query": "df.filter(items=[2])",
        "details": {"most": CANARY},
        "a_new_field": CANARY,
    }

    assert redact_result(result, "expect_column_values_to_match_regex", ["first_name"], PRIVATE) == {
        "element_count": 3,
        "unexpected_count": 1,
        "unexpected_percent": 33.3,
    }


@pytest.mark.parametrize(
    ("expectation_type", "columns", "shown"),
    [
        ("expect_column_max_to_be_between", ["first_name"], WITHHELD),
        ("expect_column_most_common_value_to_be_in_set", ["last_name"], WITHHELD),
        ("expect_column_pair_cramers_phi_value_to_be_less_than", ["age", "first_name"], WITHHELD),
        ("expect_column_unique_value_count_to_be_between", ["first_name"], "Zoë"),
        ("expect_column_max_to_be_between", ["age"], "Zoë"),
        ("expect_table_row_count_to_be_between", [], "Zoë"),
    ],
)
def test_observed_values_of_private_columns_are_withheld(
    expectation_type: str, columns: list[str], shown: str
):
    """An observed value is shown unless it can be a value of a private column."""
    result = redact_result({"observed_value": "Zoë"}, expectation_type, columns, PRIVATE)

    assert result["observed_value"] == shown


def caught(error: Exception) -> tuple[str, str]:
    try:
        raise error
    except type(error):
        return traceback.format_exc(), str(error)


@pytest.mark.parametrize(
    "error", [ValueError(f"bad value: {CANARY}"), KeyError(CANARY), TypeError(f"a\n{CANARY}: b")]
)
def test_exceptions_about_private_columns_are_named_only(error: Exception):
    """Of an exception about a private column nothing is told but its class."""
    text, message = caught(error)

    told = redact_exception(text, message, touches_private=True, known=CONTRACT.column_names)

    assert told == type(error).__name__


def test_quoted_values_are_cut_out_of_other_exceptions():
    """Of other exceptions the message is told, without what it quotes, unless that is a name of a column."""
    text, message = caught(ValueError(f"could not convert '{CANARY}' in column 'salary'"))

    told = redact_exception(text, message, touches_private=False, known=CONTRACT.column_names)

    assert told == "ValueError: could not convert … in column 'salary'"


def test_a_line_of_a_message_is_not_taken_for_the_class():
    """A value that stands at the start of a line of a message is not believed to be an exception's name."""
    text, message = caught(ValueError("first line\nSmith: second line"))

    assert redact_exception(text, message, touches_private=True, known=()) == "ValueError"
    assert redact_exception("Smith: no traceback", "", touches_private=True, known=()) == "Exception"


def spoil_values(rows: pa.Table) -> pa.Table:
    """Names that break every rule about names, and stand in rows that break every other rule."""
    bad = rows.to_pydict()
    for position in range(0, 500, 7):
        bad["first_name"][position] = CANARY + "!" * (position % 3 * 60)
        bad["last_name"][position] = CANARY
        bad["age"][position] = 230
        bad["salary"][position] = -1
        bad["department"][position] = "Astrology"
        bad["hire_date"][position] = date(2027, 1, 1)
    return pa.table(bad, rows.schema)


def break_types(rows: pa.Table) -> pa.Table:
    """A frame on which most metrics raise, with names among their operands."""
    for name in ("age", "salary", "hire_date"):
        rows = rows.set_column(rows.schema.get_field_index(name), name, pa.array([CANARY] * len(rows)))
    return rows.set_column(0, "first_name", pa.array([1, *range(1, len(rows))]))


@pytest.mark.parametrize("spoil", [spoil_values, break_types])
def test_no_name_is_in_outcomes_results_or_pages(spoil: Any):
    """Whatever fails or raises, no byte of an outcome, a result or a page is a value of a private column."""
    validation = validated(spoil(people(600, TODAY, 7)))
    told = repr(validation.outcomes) + json.dumps(validation.results, ensure_ascii=False)

    assert any(not outcome.success for outcome in validation.outcomes)
    assert "4711" not in told
    assert "4711" not in render_run_page(validation, a_gate_report())


def test_an_apostrophe_in_a_word_hides_no_quote():
    """`can't` neither opens nor closes a quote: what is quoted after it is left out all the same."""
    told = redact_exception(
        "ValueError: x",
        "can't convert 'Ada Lovelace' to 'int' in row's cell",
        touches_private=False,
        known=(),
    )

    assert told == "ValueError: can't convert … to … in row's cell"
