"""Small real inputs, each with sensible values for whatever a test does not care about."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from etl.batch import Batch
from etl.contract import Classification, Column, Contract, load_columns, load_contract
from etl.key import Key
from etl.manifest import Manifest
from etl.outcome import ExpectationOutcome, Severity
from etl.quality.data_docs import page_of
from etl.run_report import GateReport, Verdict
from etl.steps.history import AcceptedBatch
from etl.steps.keys import hash_rows
from etl.steps.merge import add_lineage

EXPECTATIONS = Path(__file__).parents[1] / "expectations"
TODAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@cache
def the_employee_contract() -> Contract:
    return load_contract((EXPECTATIONS / "employee" / "contract.yaml").read_text(), "employee/contract.yaml")


@cache
def the_lineage_columns() -> tuple[Column, ...]:
    return load_columns((EXPECTATIONS / "lineage.yaml").read_text(), "lineage.yaml")


@cache
def the_quarantine_columns() -> tuple[Column, ...]:
    return load_columns((EXPECTATIONS / "quarantine.yaml").read_text(), "quarantine.yaml")


def a_contract(**types: str) -> Contract:
    """A contract with one column for each `name="type"`; the first is the key."""
    columns = tuple(Column(n, t, False, Classification.INTERNAL, "") for n, t in types.items())
    return replace(the_employee_contract(), dataset="thing", columns=columns, key=Key((columns[0].name,)))


def a_csv(*lines: str, end: str = "\n") -> bytes:
    return "".join(line + end for line in lines).encode()


def a_batch(on: date = TODAY, version_id: str = "v1", **changes: Any) -> Batch:
    return replace(
        Batch(
            dataset="employee",
            batch_date=on,
            bucket="lakegate-local-raw-123456789012",
            key=f"employee/dt={on}/employees.csv",
            version_id=version_id,
            etag="d41d8cd98f00b204e9800998ecf8427e",
            size_bytes=512,
            landed_at=NOON,
        ),
        **changes,
    )


def some_employees(*people: tuple[str, str, int, int]) -> pa.Table:
    """Rows as the contract types them, of (first name, last name, age, salary)."""
    first, last, age, salary = zip(*people, strict=True) if people else ((), (), (), ())
    fixed = {"department": "Sales", "job_title": "Clerk", "hire_date": date(2020, 1, 31)}
    given = {"first_name": first, "last_name": last, "age": age, "salary": salary}
    return pa.table(
        {
            column.name: pa.array(
                given.get(column.name, [fixed.get(column.name)] * len(people)), column.arrow_type
            )
            for column in the_employee_contract().columns
        }
    )


def with_lineage(rows: pa.Table, batch: Batch, run_id: str = "wr_1") -> pa.Table:
    """`rows` as merge_batch takes them."""
    hashes = hash_rows(rows, the_employee_contract().column_names)
    return add_lineage(rows, hashes, batch, run_id, NOON)


def an_employee_batch(
    rows: int = 3, batch: Batch | None = None, salary: int = 50_000, first: int = 0
) -> pa.Table:
    """Rows ready to merge: `rows` people with distinct keys, the numbers `first` and following."""
    people = [("Zoë", f"Núñez {number}", 30, salary) for number in range(first, first + rows)]
    return with_lineage(some_employees(*people), batch or a_batch())


def an_accepted_batch(days_ago: int, rows: int = 100, nulls: int = 0, version: int = 0) -> AcceptedBatch:
    """An entry of the run history; the last landed of a date has its highest version."""
    return AcceptedBatch(
        batch_id=f"thing-{days_ago}-{version}",
        batch_date=TODAY - timedelta(days_ago),
        landed_at=NOON - timedelta(days_ago) + timedelta(hours=version),
        rows=rows,
        null_counts={"name": nulls, "age": 0},
    )


def a_suite(*stated: dict[str, Any], dataset: str = "employee", **common: Any) -> str:
    """suite.json with what is stated, named e0, e1 and so on; warnings, unless something else is said."""
    usual = {"severity": "warning", "description": "Something is so."} | common
    entries = [
        usual | {"meta": {"name": f"e{number}", "owner": "o"}} | entry for number, entry in enumerate(stated)
    ]
    return json.dumps({"name": dataset, "expectations": entries})


def an_outcome(
    name: str = "age_between", failed_rows: Iterable[int] = (), **changes: Any
) -> ExpectationOutcome:
    """A row-level expectation that holds, unless rows or changes say otherwise."""
    failed = np.array(list(failed_rows), np.int64)
    return replace(
        ExpectationOutcome(
            name=name,
            expectation_type="expect_column_values_to_be_between",
            columns=("age",),
            severity=Severity.WARNING,
            description="Ages are plausible.",
            is_row_level=True,
            success=not len(failed),
            element_count=100,
            unexpected_count=len(failed),
            unexpected_percent=float(len(failed)),
            failed_rows=failed,
        ),
        **changes,
    )


def a_manifest(**changes: Any) -> Manifest:
    return replace(
        Manifest(
            dataset="employee",
            batch_id=a_batch().batch_id,
            run_id="wr_1",
            folder_uri=a_batch().folder_uri,
            object_version="v1",
            object_etag="d41d8cd98f00b204e9800998ecf8427e",
            suite_fingerprint="f" * 64,
            verdict=Verdict.PASSED_WITH_QUARANTINE,
            staged_uri="s3://processed/staging/employee/wr_1/batch.parquet",
            staged_sha256="0" * 64,
            rows_read=10,
            rows_passed=7,
            rows_quarantined=2,
            rows_unparsable=1,
        ),
        **changes,
    )


def a_gate_report(**changes: Any) -> GateReport:
    """The report of a batch that passed; `docs_key` follows from what it is made of."""
    report = replace(
        GateReport(
            dataset="employee",
            batch_id="0f3a",
            batch_date=str(TODAY),
            run_id="wr_1",
            folder_uri="s3://lakegate-local-raw-123456789012/employee/dt=2026-11-24/",
            object_version="v1",
            verdict=Verdict.PASSED,
            reason=None,
            rows_read=1034,
            rows_passed=1034,
            rows_quarantined=0,
            rows_unparsable=0,
            expectations_met=25,
            expectations_total=25,
            metrics_fast=120,
            metrics_fallback=4,
            failed=(),
            warnings=(),
            problems=(),
            suite_fingerprint="f" * 64,
            docs_key="",
            finished_at="2026-11-24T03:01:12+00:00",
        ),
        **changes,
    )
    return replace(report, docs_key=page_of(report.dataset, report.batch_date, report.run_id))


def an_expectation_that_shows_a_value() -> dict[str, Any]:
    """An entry of a suite that fails of most files, and whose page shows the most common department."""
    return {
        "type": "expect_column_most_common_value_to_be_in_set",
        "kwargs": {"column": "department", "value_set": ["Nobody's"]},
        "severity": "critical",
        "description": "Nobody is in a department.",
        "meta": {"name": "most_common_department", "owner": "people-data"},
    }
