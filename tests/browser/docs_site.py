"""A folder of Data Docs as gates make it: real samples, judged and published; only S3 is a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from builders import EXPECTATIONS, a_batch, an_expectation_that_shows_a_value, the_employee_contract

from etl.alert import Alert
from etl.batch import Batch
from etl.errors import FileRejected, SuiteInvalid
from etl.operations.freshness import Cause
from etl.operations.records import ExpectationRecord, RunRecord
from etl.quality.suite import load_suite
from etl.quality.validate import validate_rows
from etl.reporting import Finding, report_gate
from etl.run_report import GateReport, Verdict
from etl.steps.gate import Judgement, judge_rows
from etl.steps.read_csv import read_rows
from etl.stopwatch import Stopwatch
from scripts.sample_data import ROW_FAULTS, Fault, Recipe, make_sample

LAST_DAY = date(2026, 11, 24)
HISTORY_DAYS = 120
HOSTILE = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
SUITE = (EXPECTATIONS / "employee" / "suite.json").read_text()


class LakeInAFolder:
    """What reporting asks of a lake: the docs zone is a folder, everything else is forgotten."""

    def __init__(self, folder: Path):
        self.folder = folder

    def has_page(self, name: str) -> bool:
        return (self.folder / name).exists()

    def write_page(self, name: str, body: str | bytes, content_type: str = "text/html") -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body.encode() if isinstance(body, str) else body)

    def publish_list(
        self, name: str, page: str, change: Callable[[Any], Any], render: Callable[[Any], str]
    ) -> None:
        path = self.folder / name
        changed = change(json.loads(path.read_text()) if path.exists() else None)
        self.write_page(page, render(changed))
        path.write_text(json.dumps(changed))

    def quarantine_query(self, run_id: str) -> str:
        return (
            f"SELECT line_number, kind, reasons, row_text FROM quarantine.employee WHERE run_id = '{run_id}'"
        )

    def docs_uri(self, name: str) -> str:
        return f"s3://docs/{name}"

    def publish_metrics(self, values: dict[str, float]) -> None:
        pass

    first_run_id, environment, runbooks_url = "wr_1", "local", "docs/runbooks"

    def publish_alert(self, alert: Alert) -> None:
        pass

    def open_case(self, batch: Batch, verdict: Verdict) -> None:
        pass

    def write_gate_report(self, report: GateReport) -> None:
        pass

    def write_expectation_results(self, records: Sequence[ExpectationRecord]) -> None:
        pass

    def update_run(self, batch: Batch, change: Callable[[RunRecord], RunRecord]) -> None:
        pass

    def mark_refused(self, batch: Batch, cause: Cause) -> None:
        pass


def examine(
    content: bytes, suite_text: str = SUITE, on: date = LAST_DAY, file: str = "employees.csv"
) -> Finding:
    """What the gate finds out of a file; like etl.pipeline, which reads it from S3."""
    contract, suite, read, validation = the_employee_contract(), None, None, None
    try:
        suite = load_suite(suite_text, "employee/suite.json", contract)
        read = read_rows(BytesIO(content), file, contract)
        validation = validate_rows(read.rows, suite, contract, on)
        judgement = judge_rows(validation.outcomes, read, contract)
    except FileRejected as error:
        judgement = Judgement(Verdict.REJECTED, str(error))
    except SuiteInvalid as error:
        judgement = Judgement(Verdict.ERROR, "the check cannot be made", problems=(str(error),))
    return Finding(judgement, contract, contract, suite, read, validation)


@cache
def findings() -> dict[str, Finding]:
    """A finding of each kind."""
    sample = make_sample(Recipe(rows=600, date=LAST_DAY)).content
    lines = sample.decode().splitlines()
    everything_wrong = [f"A{n},B{n},230,Astrology,,-1,2099-01-01" for n in range(5)]
    return {
        "passed": examine(sample),
        "quarantine": examine(make_sample(Recipe(rows=600, date=LAST_DAY, faults=ROW_FAULTS)).content),
        "too few rows": examine(make_sample(Recipe(rows=100, date=LAST_DAY)).content),
        "all fails": examine("\n".join([lines[0], *everything_wrong]).encode()),
        "unreadable": examine(
            make_sample(Recipe(rows=600, date=LAST_DAY, faults=(Fault.RENAMED_COLUMN,))).content
        ),
        "no suite": examine(sample, suite_text='{"name": "employee", "expectations": []}'),
        "hostile": examine(*a_hostile_batch()),
    }


def a_hostile_batch() -> tuple[bytes, str]:
    """A file and a suite whose texts are markup, and an expectation that shows a value of the file."""
    document = json.loads(SUITE)
    document["expectations"][2]["description"] = HOSTILE
    document["expectations"].append(an_expectation_that_shows_a_value())
    quoted = HOSTILE.replace('"', '""')
    rows = [f'A{n},B{n},40,"{quoted}",Clerk,50000,2020-01-31' for n in range(20)]
    header = "first_name,last_name,age,department,job_title,salary,hire_date"
    return "\n".join([header, *rows]).encode(), json.dumps(document)


def publish(finding: Finding, batch: Batch, run_id: str, lake: LakeInAFolder) -> str:
    """The page that the gate publishes of it."""
    return report_gate(batch, run_id, finding, lake, Stopwatch()).docs_key


def build_site(folder: Path) -> dict[str, str]:
    """Months of employees, with something wrong now and then, and two other datasets.

    Returns a page of each kind of finding, by its place in the folder.
    """
    lake, found, pages = LakeInAFolder(folder), findings(), {}
    unlucky = {7: "quarantine", 11: "too few rows", 23: "unreadable", 41: "no suite", 42: "quarantine"}
    for ago in range(HISTORY_DAYS, 0, -1):
        kind = unlucky.get(ago, "quarantine" if ago % 17 == 0 else "passed")
        batch = a_batch(LAST_DAY - timedelta(days=ago))
        pages[kind] = publish(found[kind], batch, f"wr_{ago:03}", lake)
    for n, kind in enumerate(("all fails", "quarantine", "passed")):
        batch = replace(a_batch(LAST_DAY - timedelta(days=n)), dataset="a_dataset_with_quite_a_long_name")
        pages[kind] = publish(found[kind], batch, f"wr_long_{n}", lake)
    hostile = replace(a_batch(), dataset="visitors", key=f"visitors/dt=2026-11-24/{HOSTILE}.csv")
    pages["hostile"] = publish(found["hostile"], hostile, "wr_hostile", lake)
    return pages
