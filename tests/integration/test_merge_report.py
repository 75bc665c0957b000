"""What a merge tells of keys: conflicts, suspected splits and collisions, by hashes, and one alert."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from builders import EXPECTATIONS, TODAY, a_batch, an_employee_batch, the_employee_contract
from gate_runs import a_sample, published
from lakes import ALake

from etl.batch import MergeMode
from etl.steps.listed_keys import hash_keys, list_keys
from etl.tables.table import BATCH_ID
from etl.tables.writing import merge_batch

pytestmark = pytest.mark.slow

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
KEY = the_employee_contract().key


def lines_of(content: bytes) -> list[list[str]]:
    return [line.split(",") for line in content.decode().splitlines()]


def a_file(lines: list[list[str]]) -> bytes:
    return "\n".join(",".join(line) for line in lines).encode()


def a_hash_of(lake: ALake, line: list[str]) -> str:
    """The hash of the line's key, made from the table's own secret."""
    first, last, age = line[:3]
    rows = pa.table({"first_name": [first], "last_name": [last], "age": [int(age)]})
    (found,) = hash_keys(list_keys(rows, np.arange(1), KEY), lake.table().secret)
    return found


def test_a_backfill_lists_its_conflicts(lake: ALake):
    """Rows that meet other values are listed by key hash; nobody is alerted, and no metric is of identity."""
    published(lake, lake.land(a_sample().content), "wr_1")
    lines = lines_of(a_sample().content)
    lines[3][5] = "61000"
    batch = lake.land(a_file(lines), YESTERDAY)
    report = published(lake, batch, "wr_2", MergeMode.INSERT_ONLY)

    assert (report.conflicts, report.splits, report.collisions) == (1, 0, 0)
    assert report.conflict_keys == (a_hash_of(lake, lines[3]),)
    assert lake.report("wr_2", "merge")["conflict_keys"] == [*report.conflict_keys]
    assert lake.mails() == []


def test_birthdays_and_namesakes_are_told_once_and_left_alone(lake: ALake):
    """A split and a collision are in the report by hash and in one alert by number; the rows are written."""
    published(lake, lake.land(a_sample().content), "wr_1")
    lines = lines_of(a_sample().content)
    lines[7][2] = str(int(lines[7][2]) + 1)
    lines.append([*lines[9][:5], "61000", *lines[9][6:]])
    report = published(lake, lake.land(a_file(lines), TOMORROW), "wr_2")
    (mail,) = lake.mails()

    assert (report.counts.inserted, report.counts.updated, report.counts.duplicates) == (1, 1, 1)
    assert (report.splits, report.split_keys) == (1, (a_hash_of(lake, lines[7]),))
    assert (report.collisions, report.collision_keys) == (1, (a_hash_of(lake, lines[9]),))
    assert lake.rows().num_rows == 601, "the older row stays, and the newer one is beside it"
    assert "employee of 2026-11-25 is written; 2 of its keys may not name one each" in mail
    assert "runs/employee/wr_2/merge.json" in mail
    assert not any(name in mail for line in (lines[7], lines[9]) for name in line[:2])


@pytest.mark.parametrize(("birthdays", "mails"), [(6, 0), (7, 1)])
def test_birthdays_as_many_as_expected_wake_nobody(lake: ALake, birthdays: int, mails: int):
    """Suspected splits alert beyond the contract's share of the rows (1 % of 600 here)."""
    published(lake, lake.land(a_sample().content), "wr_1")
    lines = lines_of(a_sample().content)
    for line in lines[1 : birthdays + 1]:
        line[2] = str(int(line[2]) + 1)
    report = published(lake, lake.land(a_file(lines), TOMORROW), "wr_2")

    assert (report.splits, report.collisions, len(lake.mails())) == (birthdays, 0, mails)


def test_the_contracts_own_rules(lake: ALake):
    """Where case does not count and the latest hire is kept, a name in capitals is the same key, in one file
    and in the table, and what is kept is stored as it was written."""
    text = (EXPECTATIONS / "employee" / "contract.yaml").read_text()
    rule = "{keep: greatest, orderingColumn: hire_date}"
    asked = text.replace("value: last_in_file", f"value: {rule}").replace(
        "value: sensitive", "value: insensitive"
    )
    lake.put_expectation("employee/contract.yaml", asked)
    lines = lines_of(a_sample().content)
    later = [lines[5][0].upper(), lines[5][1].upper(), *lines[5][2:6], "2026-11-01"]
    lines.insert(1, later)
    first = published(lake, lake.land(a_file(lines)), "wr_1")
    again = published(lake, lake.land(a_sample().content, TOMORROW), "wr_2")

    assert (first.counts.inserted, first.counts.duplicates, first.collisions) == (600, 1, 1)
    assert (again.counts.inserted, again.counts.updated, again.counts.unchanged) == (0, 1, 599)


def test_the_secret_is_not_in_the_catalog(lake: ALake):
    """Who may read the catalog but not the processed zone's files cannot hash names to compare them."""
    merge_batch(lake.table(), an_employee_batch(3), {BATCH_ID: a_batch().batch_id}, KEY, MergeMode.UPSERT)
    table = lake.client("glue").get_table(DatabaseName=lake.database("processed"), Name="employee")
    secret = lake.table().secret

    assert secret.hex() not in json.dumps(table, default=str).replace("-", "")
