"""A dataset whose schema may evolve, end to end: a column comes, stays, and goes again."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import Any

import pyarrow as pa
import pytest
import yaml
from builders import EXPECTATIONS, TODAY, the_employee_contract, the_lineage_columns
from lakes import ALake

from etl.batch import Batch, MergeMode
from etl.contract import Column
from etl.errors import ContractInvalid, GateRejected
from etl.pipeline import run_gate, run_merge
from etl.run_report import MergeReport
from scripts.sample_data import Recipe, make_sample

pytestmark = pytest.mark.slow

TOMORROW, DAY_AFTER = TODAY + timedelta(days=1), TODAY + timedelta(days=2)
CITY = "Xanadu"


@cache
def people() -> tuple[dict[str, str], ...]:
    return tuple(csv.DictReader(io.StringIO(make_sample(Recipe(rows=600, date=TODAY)).content.decode())))


def a_file(*columns: str, city: Callable[[int], str] = lambda _: CITY) -> bytes:
    """The sample's people with these columns; `city` gives that of each by number."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(row | {"city": city(number)} for number, row in enumerate(people()))
    return text.getvalue().encode()


def let_evolve(lake: ALake) -> None:
    """The employee contract with `schemaDrift: evolve` and an optional job title, and a suite to match."""
    contract = yaml.safe_load((EXPECTATIONS / "employee" / "contract.yaml").read_text())
    next(p for p in contract["customProperties"] if p["property"] == "schemaDrift")["value"] = "evolve"
    next(p for p in contract["schema"][0]["properties"] if p["name"] == "job_title")["required"] = False
    lake.put_expectation("employee/contract.yaml", yaml.safe_dump(contract))
    suite = json.loads((EXPECTATIONS / "employee" / "suite.json").read_text())
    by_name = {expectation["meta"]["name"]: expectation for expectation in suite["expectations"]}
    by_name["columns_complete"]["kwargs"]["exact_match"] = False
    suite["expectations"] = [e for name, e in by_name.items() if name != "job_title_given"]
    lake.put_expectation("employee/suite.json", json.dumps(suite))


def published(lake: ALake, data: bytes, on: date, run_id: str) -> MergeReport:
    batch: Batch = lake.land(data, on)
    run_gate(batch, run_id, lake.of_run(run_id))
    return run_merge(batch, MergeMode.UPSERT, run_id, lake.of_run(run_id))


def values(lake: ALake, column: str) -> list[Any]:
    return lake.rows()[column].to_pylist()


COLUMNS = the_employee_contract().column_names


def test_a_column_comes_stays_and_goes(lake: ALake):
    """A new column is added to the table as text; rows without it stay untouched; later files may lack it."""
    let_evolve(lake)
    published(lake, a_file(*COLUMNS), TODAY, "wr_1")
    added = published(lake, a_file(*COLUMNS, "city", city=lambda n: CITY if n % 3 else ""), TOMORROW, "wr_2")
    field = lake.rows().schema.field("city")
    cities = values(lake, "city")
    gone = published(lake, a_file(*COLUMNS), DAY_AFTER, "wr_3")

    assert pa.types.is_large_string(field.type) or pa.types.is_string(field.type)
    assert field.nullable
    assert (added.counts.unchanged, added.counts.updated, added.counts.inserted) == (200, 400, 0)
    assert (cities.count(CITY), cities.count(None)) == (400, 200)
    assert (gone.counts.unchanged, gone.counts.updated, gone.counts.inserted) == (200, 400, 0)
    assert values(lake, "city") == [None] * 600
    history = lake.client("s3").get_object(Bucket=lake.bucket("docs"), Key="runs/employee/history.json")
    assert "city" not in history["Body"].read().decode()
    assert lake.report("wr_3", "gate")["drift"] == {
        "new_columns": [],
        "missing_columns": [],
        "is_reordered": False,
    }


def test_people_are_told_of_new_and_missing_columns(lake: ALake):
    """Report, page and alert name the columns that came, went or moved, and no value in them. The next file
    with the same columns is no news."""
    let_evolve(lake)
    columns = [name for name in (*reversed(COLUMNS), "city") if name != "job_title"]
    report = published(lake, a_file(*columns), TODAY, "wr_1")
    gate, (mail,) = lake.report("wr_1", "gate"), lake.mails()
    key = f"data-docs/{gate['docs_key']}"
    page = lake.client("s3").get_object(Bucket=lake.bucket("docs"), Key=key)["Body"].read().decode()

    assert report.counts.inserted == 600
    assert values(lake, "job_title") == [None] * 600
    assert gate["drift"] == {"new_columns": ["city"], "missing_columns": ["job_title"], "is_reordered": True}
    published(lake, a_file(*reversed(columns)), TODAY, "wr_2")
    assert lake.mails() == [mail]
    assert mail.startswith(
        "[Lakegate warning] employee of 2026-11-24 passed, with other columns than the contract's\n"
    )
    for told in (mail, page):
        assert "columns that the contract does not declare were taken as text: city" in told
        assert "optional columns are missing and were left empty: job_title" in told
        assert CITY not in told
    assert "Ask the sender whether the columns changed for good." in mail


def test_a_new_column_that_the_table_has_as_something_else(lake: ALake):
    """Text is not put into a column of another type: the merge says so, and the table stays as it is."""
    let_evolve(lake)
    lake.client("glue").delete_table(DatabaseName=lake.database("processed"), Name="employee")
    city = Column("city", "bigint", False, None, "")
    lake.create_table("processed", (*the_employee_contract().columns, city, *the_lineage_columns()))

    with pytest.raises(ContractInvalid, match="column city is string in it but int64 in the table") as caught:
        published(lake, a_file(*COLUMNS, "city"), TODAY, "wr_1")
    assert not caught.value.retryable
    assert lake.snapshots() == 0


def test_without_the_policy_a_new_column_rejects_the_file(lake: ALake):
    """The default is to reject; the column's name, which might be data, is not told."""
    with pytest.raises(GateRejected, match="1 of its 8 columns are not in the contract") as caught:
        published(lake, a_file(*COLUMNS, "city"), TODAY, "wr_1")

    assert "city" not in str(caught.value)
    assert lake.snapshots() == 0


def test_a_packed_file_is_read_from_the_raw_zone(lake: ALake):
    """`.csv.gz` is unpacked while it is fetched."""
    batch = lake.land(gzip.compress(a_file(*COLUMNS)), file="employees.csv.gz")
    gate = run_gate(batch, "wr_1", lake.of_run())

    assert (gate.rows_read, gate.rows_passed) == (600, 600)
