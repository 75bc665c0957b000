"""The gate's policy: severity drives it, and whatever is not known to be good is not a pass."""

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from builders import an_outcome, the_employee_contract

from etl.contract import Column
from etl.key import Key
from etl.outcome import KEY_IS_NULL, REQUIRED_IS_NULL, Severity
from etl.run_report import Verdict
from etl.steps.gate import Judgement, find_incomplete_rows, judge, list_reasons

NO_NAME = f"{KEY_IS_NULL}: name"


def judged(*outcomes: Any, **changes: Any) -> Judgement:
    policy = {"rows_read": 100, "rows_unparsable": 0, "incomplete": {}, "max_quarantine_percent": 5.0}
    given = policy | changes
    incomplete = {reason: np.array(rows, np.int64) for reason, rows in given["incomplete"].items()}
    return judge(outcomes, **given | {"incomplete": incomplete})


def reasons(judgement: Judgement) -> dict[int, list[str]]:
    """Position → names, in the order of the judgement."""
    return {row["position"]: row["reasons"] for row in judgement.rejected.to_pylist()}


def test_all_expectations_met():
    """A batch that meets everything passes, and nothing is set aside."""
    assert judged(an_outcome()) == Judgement(Verdict.PASSED, None)


def test_a_failing_critical_expectation_rejects():
    """One failing critical expectation rejects the batch, whatever else holds; no row goes to quarantine."""
    judgement = judged(
        an_outcome("columns_in_order", success=False, severity=Severity.CRITICAL, is_row_level=False),
        an_outcome("salary_in_range", [3]),
    )

    assert judgement.verdict is Verdict.REJECTED
    assert judgement.reason == "critical expectations failed: columns_in_order"
    assert judgement.failed == ("columns_in_order", "salary_in_range")
    assert reasons(judgement) == {}


def test_a_critical_row_level_expectation_rejects_too():
    """Severity decides, not whether rows can be blamed."""
    assert judged(an_outcome(failed_rows=[1], severity=Severity.CRITICAL)).verdict is Verdict.REJECTED


def test_rows_that_fail_a_warning_are_set_aside():
    """Each row goes to quarantine with every expectation it failed; the rest passes."""
    judgement = judged(an_outcome("age", [7, 2]), an_outcome("salary", [7]), an_outcome("name"))

    assert judgement.verdict is Verdict.PASSED_WITH_QUARANTINE
    assert reasons(judgement) == {2: ["age"], 7: ["age", "salary"]}
    assert list(reasons(judgement)) == [2, 7]
    assert judgement.failed == ("age", "salary")


def test_a_warning_that_blames_no_row_is_told():
    """A failing warning about the whole batch lets it pass, and is among the warnings."""
    judgement = judged(an_outcome("mean_salary", success=False, is_row_level=False))

    assert (judgement.verdict, judgement.warnings) == (Verdict.PASSED, ("mean_salary",))


def test_info_is_recorded_only():
    """A failing info expectation stops nothing and sets nothing aside."""
    judgement = judged(an_outcome("unique", [1, 2], severity=Severity.INFO))

    assert (judgement.verdict, judgement.failed, reasons(judgement)) == (Verdict.PASSED, ("unique",), {})
    assert judgement.warnings == ()


def test_rows_within_mostly_pass():
    """An expectation that holds within its `mostly` blames no row, though some are unexpected."""
    judgement = judged(an_outcome(failed_rows=[4], success=True))

    assert judgement == Judgement(Verdict.PASSED, None)


def test_rows_without_key_never_pass():
    """A null in the key sets the row aside even where no expectation minds."""
    judgement = judged(an_outcome("age", [1]), incomplete={NO_NAME: [0, 1], REQUIRED_IS_NULL: [1]})

    assert reasons(judgement) == {0: [NO_NAME], 1: [NO_NAME, REQUIRED_IS_NULL, "age"]}
    assert judgement.verdict is Verdict.PASSED_WITH_QUARANTINE


def test_unparsable_rows_are_a_quarantine():
    """A batch with a row that could not be read is not simply passed."""
    assert judged(an_outcome(), rows_unparsable=1).verdict is Verdict.PASSED_WITH_QUARANTINE


@pytest.mark.parametrize(
    ("failing", "unparsable", "keyless", "verdict"),
    [
        (5, 0, (), Verdict.PASSED_WITH_QUARANTINE),  # exactly the allowed share
        (6, 0, (), Verdict.REJECTED),
        (3, 3, (), Verdict.REJECTED),
        (3, 0, (97, 98, 99), Verdict.REJECTED),
        (3, 0, (0, 1, 2), Verdict.PASSED_WITH_QUARANTINE),  # the same rows count once
        (0, 6, (), Verdict.REJECTED),
    ],
)
def test_too_many_unusable_rows_reject(
    failing: int, unparsable: int, keyless: tuple[int, ...], verdict: Verdict
):
    """Failed, unparsable and keyless rows together may be at most the contract's share."""
    judgement = judged(
        an_outcome("age", range(failing)), rows_unparsable=unparsable, incomplete={NO_NAME: keyless}
    )

    assert judgement.verdict is verdict
    if verdict is Verdict.REJECTED:
        assert "6 of 100 rows (6.0 %) cannot be used, more than the 5 %" in (judgement.reason or "")
        assert reasons(judgement) == {}


def test_nothing_evaluated_is_an_error():
    """No outcome is never a pass."""
    assert judged().verdict is Verdict.ERROR
    assert judged().problems == ("no expectation was evaluated",)


@pytest.mark.parametrize("severity", Severity)
def test_a_broken_expectation_is_an_error_whatever_its_severity(severity: Severity):
    """An expectation that could not be evaluated breaks the gate, even if it says that it holds."""
    judgement = judged(
        an_outcome("age", severity=severity, error="KeyError", success=True),
        an_outcome("columns", success=False, severity=Severity.CRITICAL, is_row_level=False),
    )

    assert judgement.verdict is Verdict.ERROR
    assert judgement.problems == ("age: KeyError",)
    assert reasons(judgement) == {}


def test_a_batch_without_rows():
    """No rows is no division by zero; whether it passes is the suite's to say."""
    assert judged(an_outcome(), rows_read=0).verdict is Verdict.PASSED


def test_incomplete_rows_lack_a_value_that_every_row_must_have():
    """Key and required columns count, whatever the suite says; optional ones do not."""
    rows = pa.table({"id": ["a", None, "c"], "note": [None, "x", "y"], "pay": [1, 2, None]})
    columns = tuple(Column(name, "string", name != "note", None, "") for name in rows.column_names)
    contract = replace(the_employee_contract(), columns=columns, key=Key(("id",)))
    found = find_incomplete_rows(rows, contract)

    assert {reason: at.tolist() for reason, at in found.items()} == {
        "key_column_null: id": [1],
        "required_value_missing": [2],
    }
    assert not any(map(len, find_incomplete_rows(rows.slice(0, 0), contract).values()))


def test_half_a_million_rejected_rows_cost_no_python_object_each():
    """The reasons of 5 % of ten million rows are put together in arrays: well below a second, not minutes."""
    rows = np.arange(0, 10_000_000, 20)
    started = time.perf_counter()
    rejected = list_reasons({"age": rows, "salary": rows[::2], "name": rows + 1})

    assert time.perf_counter() - started < 5  # some 0.2 s; a list of names for each row takes longer
    assert rejected.num_rows == 1_000_000
    assert rejected.slice(0, 3).to_pylist() == [
        {"position": 0, "reasons": ["age", "salary"]},
        {"position": 1, "reasons": ["name"]},
        {"position": 20, "reasons": ["age"]},
    ]
