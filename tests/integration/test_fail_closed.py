"""Whatever keeps the gate from judging is the verdict error: nothing is written, and people are told.

Great Expectations itself takes much of what is planted here for a success, or drops it in silence.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import builders
import pytest
from gate_runs import a_sample, refused
from great_expectations.core import ExpectationValidationResult
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations import registry
from great_expectations.expectations.core import ExpectColumnValuesToBeBetween, ExpectColumnValuesToNotBeNull
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.metrics import ColumnMapMetricProvider, column_condition_partial
from great_expectations.validator.validator import Validator
from lakes import ALake

from etl.batch import Batch, MergeMode
from etl.errors import GateBroken, ManifestInvalid
from etl.pipeline import run_gate, run_merge
from etl.run_report import Verdict

pytestmark = pytest.mark.slow

CANARY = "Zoë Xylophonia"


def a_suite(*stated: dict[str, Any]) -> str:
    """A suite of two expectations that hold, and of those stated: about salaries, if nothing else is said.

    All are of the mildest severity: a check that broke is an error all the same.
    """
    sound = [{"kwargs": {"column": column}} for column in ("age", "department")]
    about_salaries = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "salary"}}
    return builders.a_suite(*sound, *stated, severity="info", **about_salaries)


def what_is_there(lake: ALake) -> dict[str, set[str]]:
    return {zone: set(lake.keys(zone)) for zone in ("processed", "quarantine", "docs")}


def assert_broken(lake: ALake, problem: str) -> None:
    """The gate ends on GateBroken for `problem`, and leaves a page, a report and one alert; nothing else."""
    batch = lake.land(a_sample().content)
    before = what_is_there(lake)
    error = refused(lake, batch, "wr_1", GateBroken)
    after = what_is_there(lake)
    (mail,) = lake.mails()

    assert problem in str(error)
    assert not error.retryable
    assert {zone: after[zone] - before[zone] for zone in ("processed", "quarantine")} == {
        "processed": set(),
        "quarantine": set(),
    }
    left = {key for key in after["docs"] if not key.startswith(("data-docs/", "operations/"))}
    assert left == {"runs/employee/wr_1/gate.json", f"runs/employee/batches/{batch.batch_id}.json"}
    assert lake.snapshots() == lake.snapshots("quarantine") == 0
    gate = lake.report("wr_1", "gate")
    assert (gate["verdict"], gate["rows_passed"], gate["rows_quarantined"]) == (Verdict.ERROR, 0, 0)
    assert mail.startswith(
        "[Lakegate critical] employee of 2026-11-24 could not be judged: nothing was written"
    )
    assert problem in mail
    assert "nothing: the table is untouched, and readers see the last good batch" in mail
    assert CANARY not in mail + str(error) + json.dumps(gate)


@pytest.mark.parametrize(
    ("suite", "problem"),
    [
        ("{", "it is not JSON"),
        ("", "it is not JSON"),
        ("[]", "it is not a JSON object"),
        ('{"name": "employee"}', "it has no expectations"),
        ('{"name": "employee", "expectations": []}', "it has no expectations"),
        (a_suite({"type": "expect_the_impossible"}), "e2: type 'expect_the_impossible' is not known"),
        (a_suite({"severity": "fatal"}), "e2: severity 'fatal' is none of critical, warning, info"),
        (a_suite({"kwargs": {"column": "wage"}}), "e2: column 'wage' is not in the contract"),
        (a_suite({"kwargs": {"column": "salary", "max": 3}}), "e2: kwargs: "),
        (a_suite({"severty": "info"}), "severty"),
        (a_suite({}, {}), "it repeats #3 e2"),
        (a_suite({"meta": {"name": "e1", "owner": "o"}}), "name 'e1' is used 2 times"),
        (
            a_suite({"type": "expect_column_max_to_be_between", "kwargs": {"column": "last_name"}}),
            "would publish values of the private column last_name",
        ),
    ],
)
def test_a_suite_that_cannot_be_used(lake: ALake, suite: str, problem: str):
    """A suite that is none, is empty, or has one entry that cannot be evaluated judges nothing."""
    lake.put_expectation("employee/suite.json", suite)

    assert_broken(lake, problem)


@pytest.mark.parametrize(
    ("contract", "problem"),
    [("", "employee/contract.yaml"), ("a: [", "employee/contract.yaml"), ("kind: DataContract", "contract")],
)
def test_a_contract_that_cannot_be_used(lake: ALake, contract: str, problem: str):
    """Without a contract nothing is read, let alone judged."""
    lake.put_expectation("employee/contract.yaml", contract)
    batch = lake.land(a_sample().content)
    with pytest.raises(GateBroken, match=problem):
        run_gate(batch, "wr_1", lake.of_run())

    assert lake.report("wr_1", "gate")["verdict"] == Verdict.ERROR
    assert (lake.keys("processed", "staging/"), lake.has_report("wr_1", "manifest")) == ([], False)
    assert lake.snapshots() == lake.snapshots("quarantine") == 0
    assert [problem in mail for mail in lake.mails()] == [True]


@pytest.fixture
def _own_gallery(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers with GX is gone after it."""
    for name in ("_registered_expectations", "_registered_metrics", "_registered_renderers"):
        monkeypatch.setattr(registry, name, dict(getattr(registry, name)))


@pytest.mark.usefixtures("_own_gallery")
def test_an_exception_in_an_expectation(lake: ALake):
    """What raises while it judges has judged nothing; its message, which quotes a row, is not repeated."""

    class ExpectTrouble(ExpectColumnValuesToNotBeNull):
        def _validate(self, *_: Any, **__: Any) -> dict[str, Any]:
            raise ArithmeticError(f"'{CANARY}' is no number")

    lake.put_expectation("employee/suite.json", a_suite({"type": "expect_trouble"}))

    assert_broken(lake, "e2: ArithmeticError: … is no number")


@pytest.mark.usefixtures("_own_gallery")
def test_an_exception_in_a_metric(lake: ALake):
    """GX resolves metrics apart from expectations; what raises there is as broken."""

    class ColumnValuesTroubled(ColumnMapMetricProvider):
        condition_metric_name = "column_values.troubled"

        @column_condition_partial(engine=PandasExecutionEngine)
        def _pandas(cls, _column: Any, **__: Any) -> Any:  # noqa: N805
            raise LookupError(f"'{CANARY}'")

    class ExpectColumnTrouble(ColumnMapExpectation):
        map_metric = "column_values.troubled"

    lake.put_expectation("employee/suite.json", a_suite({"type": "expect_column_trouble"}))

    assert_broken(lake, "e2: LookupError")


WHOLE = {"element_count": 600, "unexpected_count": 0, "unexpected_percent": 0.0, "unexpected_index_list": []}


@pytest.mark.usefixtures("_own_gallery")
@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"success": True, "result": {}}, "GX did not count the rows that failed"),
        ({"success": "yes", "result": WHOLE}, "GX gave no verdict"),
        ({"success": 1, "result": WHOLE}, "GX gave no verdict"),
        ({"success": None, "result": WHOLE}, "GX gave no verdict"),
        ({"success": True, "result": WHOLE | {"unexpected_count": 2}}, "GX did not name every row"),
        (
            {"success": False, "result": WHOLE | {"unexpected_count": 2, "unexpected_index_list": [3, 3]}},
            "GX did not name every row",
        ),
    ],
)
def test_an_answer_that_is_none(lake: ALake, answer: dict[str, Any], problem: str):
    """Success that is no truth value is no verdict, and neither are rows that are not counted or named."""

    class ExpectNonsense(ExpectColumnValuesToNotBeNull):
        def _validate(self, *_: Any, **__: Any) -> dict[str, Any]:
            return answer

    lake.put_expectation("employee/suite.json", a_suite({"type": "expect_nonsense"}))

    assert_broken(lake, f"e2: {problem}")


@pytest.mark.usefixtures("_own_gallery")
@pytest.mark.parametrize(("least", "success"), [(0, False), (10**9, True)])
def test_a_verdict_that_its_own_counts_deny(lake: ALake, least: int, success: bool):
    """Met though all rows fail, or not met though none does: taken at its word, either would pass rows."""

    class ExpectColumnWonders(ExpectColumnValuesToBeBetween):
        def _validate(self, *arguments: Any, **named: Any) -> dict[str, Any]:
            return super()._validate(*arguments, **named) | {"success": success}

    stated = {"type": "expect_column_wonders", "kwargs": {"column": "salary", "min_value": least}}
    lake.put_expectation("employee/suite.json", a_suite(stated | {"severity": "warning"}))

    assert_broken(lake, "e2: GX's verdict is not what its counts say")


Results = list[ExpectationValidationResult]


def spoil_results(monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Results], Results]) -> None:
    """Let GX answer, then hand over something else: the place is GX's own, none of ours."""
    validate = Validator.graph_validate

    def answer(self: Validator, *arguments: Any, **named: Any) -> Results:
        return spoil(validate(self, *arguments, **named))

    monkeypatch.setattr(Validator, "graph_validate", answer)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda results: results[:-1], "GX gave 0 results where one is expected"),
        (lambda results: [], "GX gave 0 results where one is expected"),
        (lambda results: [*results, results[0]], "GX gave 2 results where one is expected"),
        (lambda results: [results[0]] * len(results), "results where one is expected"),
    ],
)
def test_results_that_are_not_those_of_the_suite(
    lake: ALake, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Results], Results], problem: str
):
    """One result for each expectation: one missing, one too many or one twice is no judgement."""
    spoil_results(monkeypatch, spoil)

    assert_broken(lake, problem)


def test_a_result_of_an_expectation_that_nobody_stated(lake: ALake, monkeypatch: pytest.MonkeyPatch):
    """One result more than the suite has expectations, whatever it is about: then none is believed."""

    def add_a_stranger(results: Results) -> Results:
        stranger = deepcopy(results[0])
        stranger.expectation_config.meta["name"] = "stranger"
        return [*results, stranger]

    spoil_results(monkeypatch, add_a_stranger)

    assert_broken(lake, "GX gave 0 results where one is expected")


def nothing_passed_on(lake: ALake, batch: Batch, raised: type[Exception]) -> None:
    """The gate ends on an error that is not ours: no report says that people were told, so the Lambda that
    handles failures tells them, and a retry may help."""
    before = what_is_there(lake)
    with pytest.raises(raised):
        run_gate(batch, "wr_1", lake.of_run())
    with pytest.raises(ManifestInvalid):
        run_merge(batch, MergeMode.UPSERT, "wr_1", lake.of_run())

    assert what_is_there(lake) == before
    assert lake.snapshots() == lake.snapshots("quarantine") == 0
    assert lake.mails() == []


def test_an_exception_of_gx_itself(lake: ALake, monkeypatch: pytest.MonkeyPatch):
    """GX giving up as a whole is no verdict, and no pass."""

    def give_up(*_: Any, **__: Any) -> Results:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(Validator, "graph_validate", give_up)

    nothing_passed_on(lake, lake.land(a_sample().content), RuntimeError)


@pytest.mark.usefixtures("_own_gallery")
def test_an_exception_while_a_result_is_made_sense_of(lake: ALake):
    """Whatever our own reading of a result stumbles over is no pass either."""

    class ExpectGibberish(ExpectColumnValuesToNotBeNull):
        def _validate(self, *_: Any, **__: Any) -> dict[str, Any]:
            return {"success": True, "result": WHOLE | {"element_count": CANARY}}

    lake.put_expectation("employee/suite.json", a_suite({"type": "expect_gibberish"}))

    nothing_passed_on(lake, lake.land(a_sample().content), ValueError)


def test_a_quarantine_that_cannot_be_written(lake: ALake):
    """Rows that should be set aside and cannot be keep the rest from passing: none would know of them."""
    lines = a_sample().content.decode().splitlines()
    lines[1] = ",".join([*lines[1].split(",")[:-2], "-1", "2020-01-01"])
    lake.drop_table("quarantine")
    batch = lake.land("\n".join(lines).encode())
    with pytest.raises(Exception, match="does not exist"):
        run_gate(batch, "wr_1", lake.of_run())

    assert (lake.has_report("wr_1", "manifest"), lake.keys("processed", "staging/")) == (False, [])


def test_the_suite_breaks_nothing_by_itself(lake: ALake):
    """The tests above fail for what they plant: without it the same file passes."""
    lake.put_expectation("employee/suite.json", a_suite({}))

    assert run_gate(lake.land(a_sample().content), "wr_1", lake.of_run()).verdict is Verdict.PASSED
    assert lake.has_report("wr_1", "manifest")
