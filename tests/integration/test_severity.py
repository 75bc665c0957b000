"""What a failing expectation does is its severity's to say: one file, judged by suites that differ in it."""

from __future__ import annotations

from typing import Any

import pytest
from builders import EXPECTATIONS, a_suite, some_employees
from gate_runs import published, refused
from lakes import ALake

from etl.batch import MergeMode
from etl.errors import GateRejected
from etl.pipeline import run_gate, run_merge
from etl.run_report import Verdict

pytestmark = pytest.mark.slow

HEADER = ",".join(some_employees().column_names)
DEPARTMENTS = ("Sales", "Legal", "Data")
# Line → what is wrong on it. Two physical lines make one row at 10, and line 20 is none: positions are not
# line numbers, neither before nor after rows are left out.
NEGATIVE = {5: "Sales", 12: "Legal", 30: "Legal", 40: "Data"}
LINES = 121  # 119 rows, 5 of which are of no use


def a_file() -> bytes:
    lines = [HEADER]
    while len(lines) < LINES:
        line = len(lines) + 1
        salary = -1 if line in NEGATIVE else 50_000
        department = NEGATIVE.get(line, DEPARTMENTS[line % 3])
        if line == 10:
            lines += ['"Zoë', f'X",Núñez {line}0,40,{department},Clerk,{salary},2020-01-31']
        elif line == 20:
            lines.append("not a row")
        else:
            lines.append(f"Zoë,Núñez {line}0,40,{department},Clerk,{salary},2020-01-31")
    return "\n".join(lines).encode()


def state(lake: ALake, *stated: dict[str, Any]) -> None:
    suite = a_suite(*stated, type="expect_column_values_to_be_between")
    lake.put_expectation("employee/suite.json", suite)


def salaries(severity: str = "warning", **kwargs: Any) -> dict[str, Any]:
    return {"kwargs": {"column": "salary", "min_value": 0} | kwargs, "severity": severity}


def only(department: str) -> dict[str, Any]:
    return {
        "type": "comparison",
        "column": {"name": "department"},
        "operator": "==",
        "parameter": department,
    }


def set_aside(lake: ALake) -> dict[int, list[str]]:
    """Line → reasons of the rows in quarantine that could be read."""
    rows = lake.rows("quarantine").to_pylist()
    return {row["line_number"]: row["reasons"] for row in rows if row["kind"] == "rejected"}


def in_table(lake: ALake) -> tuple[int, int]:
    """How many rows got into the table, and how many of them earn less than nothing."""
    earned = lake.rows()["salary"].to_pylist()
    return len(earned), sum(salary < 0 for salary in earned)


def test_a_critical_one_that_judges_rows_rejects(lake: ALake):
    """One bad row is enough, and then nothing is quarantined either."""
    state(lake, salaries("critical"))
    refused(lake, lake.land(a_file()), "wr_1", GateRejected)

    assert lake.report("wr_1", "gate")["failed"] == ["e0"]
    assert lake.snapshots() == lake.snapshots("quarantine") == 0


def test_a_warning_that_judges_rows_quarantines_them(lake: ALake):
    """The rows that failed are set aside, by their lines; all others are in the table; nobody is alarmed."""
    state(lake, salaries())
    report = published(lake, lake.land(a_file()), "wr_1")

    assert set_aside(lake) == {line: ["e0"] for line in NEGATIVE}
    assert in_table(lake) == (report.counts.read - len(NEGATIVE) - 1, 0)
    assert lake.report("wr_1", "gate")["verdict"] == Verdict.PASSED_WITH_QUARANTINE
    assert lake.mails() == []


def test_an_info_that_judges_rows_is_recorded(lake: ALake):
    """Its rows pass like any other; the report has its name."""
    state(lake, salaries("info"))
    published(lake, lake.land(a_file().replace(b"not a row\n", b"")), "wr_1")
    gate = lake.report("wr_1", "gate")

    assert (gate["verdict"], gate["failed"], gate["warnings"]) == (Verdict.PASSED, ["e0"], [])
    assert in_table(lake)[1] == len(NEGATIVE)
    assert (set_aside(lake), lake.mails()) == ({}, [])


@pytest.mark.parametrize(("severity", "alerts"), [("warning", 1), ("info", 0)])
def test_one_about_a_whole_column_blames_no_row(lake: ALake, severity: str, alerts: int):
    """A mean that is off keeps no row out: as a warning people are told, as info it is recorded."""
    mean = {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "salary", "max_value": 1}}
    state(lake, mean | {"severity": severity})
    published(lake, lake.land(a_file()), "wr_1")

    assert lake.report("wr_1", "gate")["failed"] == ["e0"]
    assert in_table(lake)[1] == len(NEGATIVE)
    assert (set_aside(lake), len(lake.mails())) == ({}, alerts)


def test_rows_within_mostly_pass(lake: ALake):
    """With 4 of 118 rows bad, 95 % is met, and they pass; 97 % is not, and all of them are set aside."""
    batch = lake.land(a_file())
    state(lake, salaries(mostly=0.95))
    published(lake, batch, "wr_1")
    assert (lake.report("wr_1", "gate")["failed"], set_aside(lake)) == ([], {})
    assert in_table(lake)[1] == len(NEGATIVE)
    state(lake, salaries(mostly=0.97))
    run_gate(batch, "wr_2", lake.of_run("wr_2"))

    assert set_aside(lake) == {line: ["e0"] for line in NEGATIVE}


def test_a_condition_sets_aside_rows_that_meet_it(lake: ALake):
    """An expectation about some of the rows judges those, and sets aside the right lines of the file."""
    missing = {"type": "nullity", "column": {"name": "department"}, "is_null": True}
    state(
        lake,
        salaries(row_condition=only("Legal")),
        salaries(row_condition={"type": "or", "conditions": [only("Legal"), only("Data")]}),
        salaries(row_condition={"type": "and", "conditions": [only("Sales"), missing]}),
        {
            "type": "expect_column_pair_values_a_to_be_greater_than_b",
            "kwargs": {"column_A": "salary", "column_B": "age", "row_condition": only("Data")},
        },
        {
            "type": "expect_compound_columns_to_be_unique",
            "kwargs": {"column_list": ["age", "salary"], "row_condition": only("Nobody's")},
        },
    )
    published(lake, lake.land(a_file()), "wr_1")

    assert set_aside(lake) == {12: ["e0", "e1"], 30: ["e0", "e1"], 40: ["e1", "e3"]}
    assert in_table(lake)[1] == 1  # line 5, whose department nobody asked about


def test_every_bad_row_says_all_that_it_failed_and_where_it_is_from(lake: ALake):
    """A quarantined row leads back to its file version and line, its run, and the suite that judged it."""
    state(lake, salaries(), salaries(row_condition=only("Legal")))
    batch = lake.land(a_file())
    run_gate(batch, "wr_1", lake.of_run())
    rows = {row["line_number"]: row for row in lake.rows("quarantine").to_pylist()}
    lines = a_file().decode().splitlines()

    assert rows.keys() == {*NEGATIVE, 20}
    assert rows[12]["reasons"] == ["e0", "e1"]
    for line, row in rows.items():
        assert row["row_text"] == lines[line - 1]
        assert (row["dataset"], row["batch_id"], row["batch_date"]) == (
            "employee",
            batch.batch_id,
            batch.batch_date,
        )
        assert (row["object_key"], row["object_version"]) == (batch.key, batch.version_id)
        assert (row["run_id"], row["kind"]) == ("wr_1", "unparsable" if line == 20 else "rejected")
        assert row["suite_fingerprint"] == lake.report("wr_1", "gate")["suite_fingerprint"]


@pytest.mark.parametrize(("allowed", "passes"), [(4, False), (4.3, True)])
def test_the_contract_says_how_many_may_be_bad(lake: ALake, allowed: float, passes: bool):
    """5 of 119 rows, failed and unparsable, are 4.2 %: whether that is too much the contract says."""
    text = (EXPECTATIONS / "employee" / "contract.yaml").read_text()
    before = "property: maxQuarantinePercent\n    value: 5\n"
    lake.put_expectation("employee/contract.yaml", text.replace(before, before.replace("5", f"{allowed}")))
    state(lake, salaries())
    batch = lake.land(a_file())
    if passes:
        run_gate(batch, "wr_1", lake.of_run())
        assert run_merge(batch, MergeMode.UPSERT, "wr_1", lake.of_run()).counts.quarantined == len(NEGATIVE)
    else:
        refused(lake, batch, "wr_1", GateRejected)
        assert (
            "5 of 119 rows (4.2 %) cannot be used, more than the 4 % the contract allows" in lake.mails()[0]
        )
