"""Running a suite over rows: exact positions, the batch date, and failing closed."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from etl.contract import Contract, load_contract
from etl.outcome import ExpectationOutcome, Severity
from etl.quality import validate
from etl.quality.arrow_engine import ArrowEngine
from etl.quality.frame import to_frame
from etl.quality.suite import load_suite
from etl.quality.validate import Validation, validate_rows
from scripts.sample_people import people

FOLDER = Path(__file__).parents[2] / "expectations" / "employee"
TODAY = date(2026, 11, 24)
CONTRACT = load_contract((FOLDER / "contract.yaml").read_text(), "employee/contract.yaml")


def employees(rows: int = 600, **cells: dict[int, Any]) -> pa.Table:
    """Sound employees, but for `cells`: column → position → value."""
    table = people(rows, TODAY, 7)
    for name, changes in cells.items():
        values = table[name].to_pylist()
        for position, value in changes.items():
            values[position] = value
        column = pa.array(values, table.schema.field(name).type)
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def suite_text() -> str:
    return (FOLDER / "suite.json").read_text()


def judge(rows: pa.Table, text: str | None = None, contract: Contract = CONTRACT) -> Validation:
    suite = load_suite(text or suite_text(), "employee/suite.json", contract)
    return validate_rows(rows, suite, contract, TODAY)


def outcome_of(validation: Validation, name: str) -> ExpectationOutcome:
    return next(outcome for outcome in validation.outcomes if outcome.name == name)


def failed(validation: Validation) -> dict[str, list[int]]:
    return {o.name: o.failed_rows.tolist() for o in validation.outcomes if not o.success}


def a_suite(**expectation: Any) -> str:
    """A suite of one expectation, named `only`."""
    meta = {"name": "only", "owner": "people-data"}
    entry = {"severity": "warning", "description": "Something is so.", "meta": meta} | expectation
    return json.dumps({"name": "employee", "expectations": [entry]})


def test_sound_rows_meet_everything():
    """The sample of the day meets all 27 expectations."""
    validation = judge(employees(1034))

    assert failed(validation) == {}
    assert validation.expectations_met == len(validation.outcomes) == 27
    assert all(outcome.error is None for outcome in validation.outcomes)


def test_outcomes_stand_in_the_order_of_the_suite():
    """GX evaluates column by column; outcomes come in the order of the file, with the suite's own words."""
    entries = json.loads(suite_text())["expectations"]
    outcomes = judge(employees()).outcomes

    assert [o.name for o in outcomes] == [entry["meta"]["name"] for entry in entries]
    assert [o.severity for o in outcomes] == [Severity(entry["severity"]) for entry in entries]
    assert [o.description for o in outcomes] == [entry["description"] for entry in entries]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"age": {5: 230}}, {"age_between": [5]}),
        ({"age": {0: 15, 599: 101}}, {"age_between": [0, 599], "hired_at_16_or_later": [0]}),
        ({"age": {6: None}}, {"age_given": [6]}),
        ({"first_name": {7: None}}, {"first_name_given": [7]}),
        ({"department": {8: "Astrology"}}, {"department_known": [8]}),
        ({"salary": {9: -1, 300: 4999, 301: 5000}}, {"salary_between": [9, 300]}),
        ({"salary": {9: None}}, {"salary_given": [9]}),
        ({"last_name": {10: "x" * 101}}, {"last_name_length": [10]}),
        ({"job_title": {11: "?"}}, {"job_title_length": [11]}),
        ({"hire_date": {12: date(2026, 11, 25), 13: TODAY}}, {"hire_date_not_in_future": [12]}),
        ({"hire_date": {14: None}}, {"hire_date_given": [14]}),
    ],
)
def test_bad_rows_are_named_exactly(cells: dict[str, dict[int, Any]], expected: dict[str, list[int]]):
    """Each rule names the positions of the rows that break it, and no rule names a row that does not."""
    assert failed(judge(employees(**cells))) == expected


def test_rows_of_compound_and_pair_rules_are_named():
    """Rules over several columns name rows too: both rows of a repeated key, a child that was hired."""
    rows = employees(
        first_name={20: "Zoë", 500: "Zoë"},
        last_name={20: "Twin", 500: "Twin"},
        age={20: 40, 500: 40, 30: 20, 31: 20},
        hire_date={20: TODAY, 500: TODAY, 30: date(2021, 11, 25), 31: date(2021, 11, 24)},
    )

    assert failed(judge(rows)) == {"key_unique": [20, 500], "hired_at_16_or_later": [31]}


NAMES = (
    "Zoë", "O'Brien", "D’Amico", "Núñez", "Jean-Luc", "St. John", "King Jr.", "King, Jr.", "'t Hooft",
    "van 't Hoff", "Bjo\u0308rn", "Ó Súilleabháin", "J.R.", "王", "さくら", "민준", "ज्योति", "தமிழ்ச்செல்வி",
    "בן־חיים", "מֹשֶׁה", "مُحَمَّد", "عبد الرحمن", "ნინო", "สมชาย",
)  # fmt: skip
NO_NAMES = (
    " Zoë", "Zoë ", "Zoë\n", "Zoë\tB", "Zoë  B", "Zo3", "١٢", "१राम", "Ann-", "-Ann", "<b>Zoë</b>",
    "zoe@example.com", "A_B", "Ann;", "O''", "-", "😀",
)  # fmt: skip


def test_names_of_any_script_pass():
    """Letters of every script are letters, composed or not, with the joints that names have."""
    names = dict(enumerate(NAMES))

    assert failed(judge(employees(first_name=names, last_name=names))) == {}


def test_what_is_no_name_fails():
    """Stray blanks, digits of any script, markup and punctuation are mistakes, not names."""
    positions = list(range(len(NO_NAMES)))
    found = failed(judge(employees(first_name=dict(enumerate(NO_NAMES)))))

    assert found == {"first_name_spelling": positions}


def test_an_absurd_date_is_judged_and_not_a_crash():
    """Dates that pandas' nanoseconds cannot hold are judged like any other."""
    rows = employees(hire_date={1: date(9999, 12, 31), 2: date(1, 1, 1), 3: date(1677, 9, 20)})

    found = failed(judge(rows))

    assert found["hire_date_not_in_future"] == [1, 2, 3]
    assert found["hired_at_16_or_later"] == [2, 3]


def test_large_numbers_keep_every_digit():
    """An integer column with a null is not turned into floats, which cannot hold all 64-bit integers."""
    largest = 2**63 - 1
    frame = to_frame(employees(salary={0: None, 1: largest}))

    assert frame["salary"].dtype == "Int64"
    assert frame["salary"][1] == largest


def test_frames_have_the_types_that_gx_is_fast_on():
    """GX is 10 to 100 times slower on other types of pandas."""
    assert {str(kind) for kind in to_frame(employees()).dtypes} == {"str", "int64", "datetime64[ns]"}


def test_an_empty_batch_fails_its_row_count():
    """No rows is no pass, although no row is bad."""
    validation = judge(employees().slice(0, 0))

    assert "row_count_plausible" in failed(validation)
    assert outcome_of(validation, "row_count_plausible").observed_value == "0"


def test_all_rows_bad_are_all_named():
    """GX caps its lists of values at 200; positions are not capped."""
    validation = judge(employees(5000).set_column(5, "salary", pa.array([-1] * 5000)))

    assert outcome_of(validation, "salary_between").failed_rows.tolist() == list(range(5000))


def test_mostly_keeps_its_meaning_and_still_names_rows():
    """Under `mostly` a share of rows may fail: the expectation is met, its rows are named all the same."""
    kwargs = {"column": "salary", "min_value": 5000, "mostly": 0.9}
    validation = judge(
        employees(salary={1: -1, 2: -2}), a_suite(type="expect_column_values_to_be_between", kwargs=kwargs)
    )
    outcome = outcome_of(validation, "only")

    assert outcome.success
    assert outcome.failed_rows.tolist() == [1, 2]


def test_row_conditions_keep_positions():
    """A rule for some of the rows names positions in the batch, not among those rows."""
    kwargs = {
        "column": "salary",
        "min_value": 5000,
        "row_condition": {
            "type": "comparison",
            "column": {"name": "department"},
            "operator": "==",
            "parameter": "Legal",
        },
    }
    rows = employees(department={50: "Legal", 400: "Legal", 60: "Data"}, salary={50: -1, 400: -1, 60: -1})

    outcome = outcome_of(
        judge(rows, a_suite(type="expect_column_values_to_be_between", kwargs=kwargs)), "only"
    )

    assert outcome.failed_rows.tolist() == [50, 400]


def test_an_expectation_about_a_column_blames_no_row():
    """A failing mean is no row's fault."""
    validation = judge(employees().set_column(5, "salary", pa.array([950_000] * 600)))
    outcome = outcome_of(validation, "salary_mean_plausible")

    assert not outcome.success
    assert not outcome.is_row_level
    assert outcome.failed_rows.tolist() == []
    assert outcome.observed_value == "950000.0"


def test_a_wrong_type_is_critical():
    """A column of another type than the contract's fails its type expectation."""
    validation = judge(employees().set_column(2, "age", pa.array([40.5] * 600)))

    assert outcome_of(validation, "age_type").severity is Severity.CRITICAL
    assert not outcome_of(validation, "age_type").success


def test_an_exception_is_an_error_and_never_a_pass():
    """What raises inside GX is an error of the gate, and says what kind."""
    validation = judge(employees().set_column(5, "salary", pa.array(["a lot"] * 600)))
    outcome = outcome_of(validation, "salary_between")

    assert not outcome.success
    assert outcome.error.startswith("TypeError")


def test_a_missing_column_is_an_error_of_every_rule_about_it():
    """A rule about a column that is not there has not been judged."""
    outcomes = judge(employees().drop_columns("last_name")).outcomes

    assert {o.name for o in outcomes if o.error} == {
        "last_name_given", "last_name_length", "last_name_spelling", "key_unique"
    }  # fmt: skip


Answers = dict[str, list[Any]]


def _forget(_: ArrowEngine, answers: Answers) -> None:
    del answers["salary_between"]


def _double(_: ArrowEngine, answers: Answers) -> None:
    answers["salary_between"] *= 2


def _without_rows(engine: ArrowEngine, _: Answers) -> None:
    engine.unexpected.clear()


def _without_one_row(engine: ArrowEngine, _: Answers) -> None:
    engine.unexpected = {metric: rows[:-1] for metric, rows in engine.unexpected.items()}


def _with_strange_rows(engine: ArrowEngine, _: Answers) -> None:
    engine.unexpected = {metric: rows + 600 for metric, rows in engine.unexpected.items()}


def _without_counts(_: ArrowEngine, answers: Answers) -> None:
    answers["salary_between"][0].result.clear()


def _without_verdict(_: ArrowEngine, answers: Answers) -> None:
    answers["salary_between"][0].success = None


@pytest.mark.parametrize(
    "spoil",
    [
        _forget,
        _double,
        _without_rows,
        _without_one_row,
        _with_strange_rows,
        _without_counts,
        _without_verdict,
    ],
)
def test_an_answer_that_cannot_be_relied_on_is_an_error(
    spoil: Callable[[ArrowEngine, Answers], None], monkeypatch: pytest.MonkeyPatch
):
    """No result, two results, uncounted or unnamed rows: each is an error, though GX reports no exception."""
    evaluate = validate.evaluate

    def misbehave(engine: ArrowEngine, *arguments: Any) -> Answers:
        answers = evaluate(engine, *arguments)
        spoil(engine, answers)
        return answers

    monkeypatch.setattr(validate, "evaluate", misbehave)
    outcome = outcome_of(judge(employees(salary={3: -1})), "salary_between")

    assert outcome.error is not None
    assert not outcome.success


def test_outcomes_hold_plain_values():
    """Outcomes can be pickled and compared without GX: nothing of it is in them."""
    outcome = outcome_of(judge(employees(salary={3: -1})), "salary_between")

    assert isinstance(outcome.failed_rows, np.ndarray)
    assert outcome.failed_rows.dtype == np.int64
    assert type(outcome.success) is bool
    assert type(outcome.unexpected_count) is int


def test_a_suite_can_be_used_again():
    """Judging a batch leaves no trace in the suite: the next batch is judged by its own date."""
    suite = load_suite(suite_text(), "s", CONTRACT)
    rows = employees(hire_date={1: TODAY})
    yesterday = validate_rows(rows, suite, CONTRACT, date(2026, 11, 23))
    today = validate_rows(rows, suite, CONTRACT, TODAY)

    assert failed(yesterday)["hire_date_not_in_future"][0] == 1
    assert failed(today) == {}


def test_nothing_is_printed_or_logged(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture):
    """GX's progress bars and its logs, which quote values, stay out of the job's log."""
    with caplog.at_level(logging.DEBUG):
        judge(employees(first_name={0: "Canary 77"}).set_column(5, "salary", pa.array(["Canary 77"] * 600)))

        logging.getLogger("great_expectations.validator.validator").error("Canary 77")

    assert capfd.readouterr() == ("", "")
    assert "Canary 77" not in caplog.text


def test_gx_is_imported_only_by_those_who_validate():
    """Importing the gate's modules does not import GX, which takes seconds; the merge job needs none."""
    code = (
        "import sys, etl.quality.validate, etl.quality.data_docs; print('great_expectations' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=FOLDER.parents[1]
    )

    assert done.stdout.strip() == "False"
