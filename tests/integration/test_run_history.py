"""What is usual, end to end: the gate remembers what it let pass, and compares the next batches with it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from builders import EXPECTATIONS, TODAY
from gate_runs import a_sample, published, refused
from lakes import ALake

from etl.errors import GateBroken, GateRejected
from etl.pipeline import run_gate
from etl.run_report import Verdict
from etl.steps.history import describe_batch
from scripts.sample_data import Fault, Recipe, make_sample

pytestmark = pytest.mark.slow

TOMORROW = TODAY + timedelta(days=1)
HISTORY = "runs/employee/history.json"


def history(lake: ALake) -> list[dict[str, Any]]:
    return json.loads(lake.client("s3").get_object(Bucket=lake.bucket("docs"), Key=HISTORY)["Body"].read())


def a_file(rows: int, on: date = TODAY) -> bytes:
    return make_sample(Recipe(rows=rows, date=on)).content


def judged(lake: ALake, content: bytes, on: date, run_id: str) -> dict[str, Any]:
    """The gate's report of a file that it lets pass."""
    run_gate(lake.land(content, on), run_id, lake.of_run(run_id))
    return lake.report(run_id, "gate")


def make_critical(lake: ALake, name: str) -> None:
    suite = json.loads((EXPECTATIONS / "employee" / "suite.json").read_text())
    next(e for e in suite["expectations"] if e["meta"]["name"] == name)["severity"] = "critical"
    lake.put_expectation("employee/suite.json", json.dumps(suite))


def test_what_passed_is_remembered_once(lake: ALake):
    """The history has one entry for each batch that passed, with counts of the rows that were judged."""
    batch = lake.land(a_sample(faults=(Fault.MISSING_COLUMN, Fault.AGE_230)).content)
    for run_id in ("wr_1", "wr_2"):
        published(lake, batch, run_id)
    (entry,) = history(lake)

    assert lake.report("wr_2", "gate")["rows_read"] == 600
    assert entry == {
        "batch_id": batch.batch_id,
        "batch_date": "2026-11-24",
        "landed_at": "2026-11-24T12:00:00Z",
        "rows": 599,
        "null_counts": dict.fromkeys(
            ("first_name", "last_name", "age", "department", "job_title", "salary", "hire_date"), 0
        ),
    }


def test_what_was_refused_is_not_remembered(lake: ALake):
    """A rejected batch and one that could not be judged say nothing about what is usual."""
    refused(lake, lake.land(a_file(100)), "wr_1", GateRejected)
    lake.put_expectation("employee/suite.json", "{")
    refused(lake, lake.land(a_sample().content), "wr_2", GateBroken)

    assert HISTORY not in lake.keys("docs")


def test_a_batch_that_is_shorter_than_usual_is_told(lake: ALake):
    """Within the band nothing is said; outside of it people get an alert that has the bounds."""
    assert judged(lake, a_file(1000), TODAY, "wr_1")["failed"] == []
    assert judged(lake, a_file(701, TOMORROW), TOMORROW, "wr_2")["failed"] == []
    assert lake.mails() == []
    report = judged(lake, a_file(590, TOMORROW), TOMORROW, "wr_3")
    (mail,) = lake.mails()
    pages = [lake.page(f"employee/{day}/{run}.html") for day, run in ((TODAY, "wr_1"), (TOMORROW, "wr_3"))]

    assert "unknown: too few batches were accepted before" in pages[0]
    assert "usual_rows_min 700, usual_rows_max 1300, usual_non_null_min_job_title 0.98" in pages[1]
    assert (report["verdict"], report["warnings"]) == (Verdict.PASSED, ["row_count_usual"])
    assert "row_count_usual (warning): The export is about as long as usual" in mail
    assert "Observed: 590 (usual_rows_min 700, usual_rows_max 1300)" in mail
    assert report["usual"]["usual_rows_max"] == 1300


def test_the_usual_can_be_critical(lake: ALake):
    """The suite decides by severity if a batch unlike the others is rejected; it is no reference then."""
    make_critical(lake, "row_count_usual")
    judged(lake, a_file(1000), TODAY, "wr_1")
    refused(lake, lake.land(a_file(590, TOMORROW), TOMORROW), "wr_2", GateRejected)

    assert "critical expectations failed: row_count_usual" in lake.mails()[0]
    assert [entry["rows"] for entry in history(lake)] == [1000]


def test_more_nulls_than_usual_are_told(lake: ALake):
    """Each row without a job title is kept out; that there are more of them than usual is said beside it."""
    judged(lake, a_file(600), TODAY, "wr_1")
    lines = a_file(600, TOMORROW).decode().splitlines()
    titled = [n for n, line in enumerate(lines) if n and '"' not in line][:18]  # 3 %, where 2 are allowed
    for number in titled:
        fields = lines[number].split(",")
        lines[number] = ",".join([*fields[:4], "", *fields[5:]])
    report = judged(lake, "\n".join(lines).encode(), TOMORROW, "wr_2")

    assert (report["verdict"], report["rows_quarantined"]) == (Verdict.PASSED_WITH_QUARANTINE, 18)
    assert report["warnings"] == ["job_title_usually_given"]
    assert history(lake)[1]["null_counts"]["job_title"] == 18


def test_a_backfill_is_compared_with_what_was_before_its_date(lake: ALake):
    """Later batches are no reference for an earlier date, which is one for them once it is there."""
    judged(lake, a_file(2000, TOMORROW), TOMORROW, "wr_1")

    assert judged(lake, a_file(600), TODAY, "wr_2")["failed"] == []
    assert judged(lake, a_file(2000, TOMORROW), TOMORROW, "wr_3")["warnings"] == ["row_count_usual"]


@pytest.mark.parametrize("text", ["{", '{"batches": []}', '[{"rows": "many"}]', "\xff"])
def test_a_history_that_cannot_be_read_is_an_error(lake: ALake, text: str):
    """Without reference figures nothing is judged: no pass, and people are told which object it is."""
    lake.client("s3").put_object(Bucket=lake.bucket("docs"), Key=HISTORY, Body=text.encode("latin-1"))
    refused(lake, lake.land(a_sample().content), "wr_1", GateBroken)

    assert lake.report("wr_1", "gate")["verdict"] == Verdict.ERROR
    assert f"{HISTORY}: not" in lake.mails()[0]


def test_a_gate_that_died_before_its_report_is_repeated(lake: ALake):
    """The batch is remembered before the report is out, and once, however often the gate is repeated."""

    class Died(Exception):
        pass

    batch = lake.land(a_sample().content)
    of_run = lake.of_run()

    def die(_: object) -> None:
        raise Died

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(of_run), "write_gate_report", lambda _self, report: die(report))
        with pytest.raises(Died):
            run_gate(batch, "wr_1", of_run)
    assert len(history(lake)) == 1
    run_gate(batch, "wr_1", of_run)

    assert [entry["batch_id"] for entry in history(lake)] == [batch.batch_id]


def test_batches_that_pass_at_the_same_time_are_all_remembered(lake: ALake):
    """The document is written on condition that nobody changed it: no entry is lost."""
    batch = lake.land(b"x")
    contract = lake.of_run().read_contract()
    described = describe_batch(batch, 0, dict.fromkeys(contract.column_names, 0), contract)
    others = [replace(described, batch_id=f"employee-{number}") for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lake.of_run().remember_batch, others))

    assert {entry["batch_id"] for entry in history(lake)} == {other.batch_id for other in others}
