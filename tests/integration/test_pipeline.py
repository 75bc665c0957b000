"""Gate and merge, end to end in this process: real files, real tables, and what a run leaves behind."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from builders import EXPECTATIONS, TODAY
from gate_runs import a_sample, counts, published, refused
from lakes import ALake

from etl.aws.lake import Lake
from etl.batch import MergeMode
from etl.errors import FileRejected, GateRejected, ManifestInvalid, ObjectMissing
from etl.pipeline import run_gate, run_merge
from etl.run_report import Verdict
from scripts.sample_data import ROW_FAULTS, Day, Fault, Recipe, make_sample

pytestmark = pytest.mark.slow

TOMORROW = TODAY + timedelta(days=1)


def test_a_clean_batch_is_published(lake: ALake):
    """All rows of a good file are in the table with their lineage, and the reports and the page say so."""
    batch = lake.land(a_sample().content)
    report = published(lake, batch, "wr_1")
    gate = lake.report("wr_1", "gate")

    assert counts(report) == {"read": 600, "inserted": 600}
    assert set(lake.rows()["_batch_id"].to_pylist()) == {batch.batch_id}
    assert (gate["verdict"], gate["expectations_met"], gate["failed"]) == (Verdict.PASSED, 27, [])
    assert gate["docs_key"] == "employee/2026-11-24/wr_1.html"
    assert {"data-docs/index.html", f"data-docs/{gate['docs_key']}"} <= set(lake.keys("docs"))
    assert lake.report("wr_1", "merge")["snapshot_id"] == lake.table().snapshot_id == report.snapshot_id
    assert lake.mails() == []
    assert lake.snapshots("quarantine") == 0
    (run,), results = (lake.records(table, "wr_1") for table in ("runs", "expectation_results"))
    assert (run["state"], run["verdict"], run["rows_inserted"], run["conflicts"]) == (
        "published",
        "passed",
        600,
        0,
    )
    assert run["gated_at"] <= run["published_at"]
    assert len(results) == 27
    assert {result["rows_failed"] for result in results} == {0}


def test_bad_rows_go_to_quarantine_and_every_row_is_accounted_for(lake: ALake):
    """On the next day, changed rows update, new ones insert, bad ones are set aside: nothing is lost."""
    published(lake, lake.land(a_sample().content), "wr_1")
    sample = a_sample(TOMORROW, day=Day.NEXT, faults=ROW_FAULTS)
    batch = lake.land(sample.content, TOMORROW)
    report = published(lake, batch, "wr_2")
    quarantined = {row["line_number"]: row for row in lake.rows("quarantine").to_pylist()}
    lines = sample.content.decode().splitlines()
    bad = {
        fault: sample.report.planted_at(fault).line_number
        for fault in (Fault.AGE_230, Fault.UNKNOWN_DEPARTMENT, Fault.NEGATIVE_SALARY, Fault.MISSING_COLUMN)
    }

    assert counts(report) == {
        "read": 607,
        "inserted": sample.report.hired,
        "updated": sample.report.changed + 1,
        "unchanged": 607 - 6 - 7 - 1 - 4,
        "duplicates": 1,
        "quarantined": 3,
        "unparsable": 1,
    }
    assert lake.rows().num_rows == 606
    assert quarantined.keys() == set(bad.values())
    assert {line: row["row_text"] for line, row in quarantined.items()} == {
        n: lines[n - 1] for n in bad.values()
    }
    assert quarantined[bad[Fault.UNKNOWN_DEPARTMENT]]["reasons"] == ["department_known"]
    assert quarantined[bad[Fault.MISSING_COLUMN]]["kind"] == "unparsable"
    assert lake.report("wr_2", "gate")["verdict"] == Verdict.PASSED_WITH_QUARANTINE


def test_the_same_object_again_changes_nothing(lake: ALake):
    """A batch that was published before is skipped whole, in table and quarantine, and the report says so."""
    batch = lake.land(a_sample(faults=(Fault.AGE_230, Fault.DUPLICATE_KEY)).content)
    first = published(lake, batch, "wr_1")
    again = published(lake, batch, "wr_2")

    assert counts(first) == {"read": 601, "inserted": 599, "duplicates": 1, "quarantined": 1}
    assert counts(again) == {"read": 601, "skipped": 599, "duplicates": 1, "quarantined": 1}
    assert (again.already_committed, again.committed) == (True, False)
    assert (again.snapshot_id, lake.snapshots()) == (first.snapshot_id, 1)
    assert lake.rows("quarantine").num_rows == 1


def test_the_same_content_landed_anew_is_unchanged(lake: ALake):
    """The same rows under another object version are another batch, which leaves every row as it is."""
    first = published(lake, lake.land(a_sample().content), "wr_1")
    again = published(lake, lake.land(a_sample().content), "wr_2")

    assert counts(again) == {"read": 600, "unchanged": 600}
    assert (again.already_committed, again.committed) == (False, False)
    assert again.snapshot_id == first.snapshot_id


def test_a_backfill_leaves_existing_rows_alone(lake: ALake):
    """insert_only adds the keys that are missing and reports the differing rows that it left alone."""
    published(lake, lake.land(a_sample().content), "wr_1")
    sample = a_sample(TOMORROW, day=Day.NEXT)
    before = lake.rows().to_pylist()
    report = published(lake, lake.land(sample.content, TOMORROW), "wr_2", MergeMode.INSERT_ONLY)

    assert counts(report) == {"read": 606, "inserted": 6, "skipped": 600}
    assert report.conflicts == sample.report.changed
    assert [row for row in lake.rows().to_pylist() if row["_run_id"] == "wr_1"] == before


def test_a_file_that_cannot_be_read_is_rejected_with_an_alert(lake: ALake):
    """A renamed column rejects the file; report and alert are out before the error leaves."""
    batch = lake.land(a_sample(faults=(Fault.RENAMED_COLUMN,)).content)
    error = refused(lake, batch, "wr_1", GateRejected)
    gate, (mail,) = lake.report("wr_1", "gate"), lake.mails()

    assert not error.retryable
    assert gate["verdict"] == Verdict.REJECTED
    assert "column salary is missing from the header" in gate["reason"]
    assert gate["rows_read"] == gate["rows_passed"] == 0
    assert lake.records("runs", "wr_1")[0].items() >= {"state": "rejected", "reason": gate["reason"]}.items()
    assert mail.startswith("[Lakegate critical] employee of 2026-11-24 was rejected: nothing was written\n")
    assert "column salary is missing from the header" in mail
    assert "nothing: the table is untouched, and readers see the last good batch" in mail
    assert lake.snapshots() == lake.snapshots("quarantine") == 0


def test_a_failing_critical_expectation_rejects_with_an_alert(lake: ALake):
    """A file that was cut short is rejected, though each of its rows is good; people are told which check."""
    batch = lake.land(make_sample(Recipe(rows=100, date=TODAY)).content)
    refused(lake, batch, "wr_1", GateRejected)
    gate, (mail,) = lake.report("wr_1", "gate"), lake.mails()

    assert "row_count_plausible" in gate["failed"]
    assert "critical expectations failed: row_count_plausible" in mail
    assert (gate["rows_read"], gate["rows_passed"]) == (100, 0)
    assert lake.snapshots() == lake.snapshots("quarantine") == 0


def test_too_many_bad_rows_reject_the_batch(lake: ALake):
    """Above the contract's share of unusable rows nothing is written, not even to quarantine."""
    lines = a_sample().content.decode().splitlines()
    spoilt = [line + ",extra" if number % 10 == 1 else line for number, line in enumerate(lines)]
    refused(lake, lake.land("\n".join(spoilt).encode()), "wr_1", GateRejected)

    assert "60 of 600 rows (10.0 %) cannot be used, more than the 5 %" in lake.mails()[0]
    assert lake.snapshots("quarantine") == 0


def test_rows_that_a_mended_suite_lets_pass_reach_the_table(lake: ALake):
    """A batch judged anew is merged anew: what leaves the quarantine is in the table, and nothing doubles."""
    batch = lake.land(a_sample(faults=(Fault.UNKNOWN_DEPARTMENT,)).content)
    published(lake, batch, "wr_1")
    suite = json.loads((EXPECTATIONS / "employee" / "suite.json").read_text())
    known = next(e for e in suite["expectations"] if e["meta"]["name"] == "department_known")
    known["kwargs"]["value_set"].append("Astrology")
    lake.put_expectation("employee/suite.json", json.dumps(suite))
    run_gate(batch, "wr_2", lake.of_run("wr_2"))
    assert (lake.rows().num_rows, lake.rows("quarantine").num_rows) == (599, 1), "in one of the two, always"
    again = run_merge(batch, MergeMode.UPSERT, "wr_2", lake.of_run("wr_2"))

    assert counts(again) == {"read": 600, "inserted": 1, "unchanged": 599}
    assert (again.already_committed, again.committed, again.released) == (False, True, 1)
    assert (lake.rows().num_rows, lake.rows("quarantine").num_rows) == (600, 0)


def test_another_column_order_passes_and_is_told(lake: ALake):
    """Columns are read by name; that the sender changed their order is recorded, as info."""
    lines = [line.split(",") for line in a_sample().content.decode().splitlines() if '"' not in line]
    reordered = "\n".join(",".join([*fields[1:], fields[0]]) for fields in lines).encode()
    report = published(lake, lake.land(reordered), "wr_1")

    assert counts(report) == {"read": len(lines) - 1, "inserted": len(lines) - 1}
    assert lake.report("wr_1", "gate")["failed"] == ["columns_in_order"]


def test_the_report_waits_for_the_alert(lake: ALake):
    """The Lambda that handles failures trusts the report: without the alert out, there is none."""

    class AMuteLake(Lake):
        def publish_alert(self, alert: object) -> None:
            raise ConnectionError("SNS is away")

    batch = lake.land(a_sample(faults=(Fault.RENAMED_COLUMN,)).content)
    mute = AMuteLake(lake.of_run()._settings)
    with pytest.raises(ConnectionError):
        run_gate(batch, "wr_1", mute)

    assert not lake.has_report("wr_1", "gate")


def test_a_resumed_run_takes_what_the_gate_of_the_run_before_passed(lake: ALake):
    """Its merge needs no gate of its own, and finds the commit of a merge that was killed right after it: the
    report is the one that was lost. A run that resumes nothing has nothing to merge."""
    batch = lake.land(a_sample().content)
    run_gate(batch, "wr_1", lake.of_run())
    first = run_merge(batch, MergeMode.UPSERT, "wr_1", lake.of_run())
    resumed = run_merge(batch, MergeMode.UPSERT, "wr_3", lake.of_run("wr_3", "wr_2", "wr_1"))

    assert counts(resumed) == counts(first) == {"read": 600, "inserted": 600}
    assert not resumed.already_committed
    assert lake.snapshots() == 1
    with pytest.raises(ManifestInvalid, match="passed nothing on"):
        run_merge(batch, MergeMode.UPSERT, "wr_4", lake.of_run("wr_4"))


def test_a_staged_file_that_was_tampered_with_is_not_merged(lake: ALake):
    """The merge takes the very bytes that the gate passed, or nothing."""
    batch = lake.land(a_sample().content)
    run_gate(batch, "wr_1", lake.of_run())
    run_gate(lake.land(a_sample(seed=8).content, file="other.csv"), "wr_2", lake.of_run("wr_2"))
    stolen = {"Bucket": lake.bucket("processed"), "Key": "staging/employee/wr_2/batch.parquet"}
    lake.client("s3").copy_object(
        Bucket=lake.bucket("processed"), Key="staging/employee/wr_1/batch.parquet", CopySource=stolen
    )

    with pytest.raises(ManifestInvalid, match="not the one the gate wrote"):
        run_merge(batch, MergeMode.UPSERT, "wr_1", lake.of_run())
    assert lake.snapshots() == 0


def test_a_manifest_of_another_batch_is_not_merged(lake: ALake):
    """A run merges the batch it was started for."""
    batch = lake.land(a_sample().content)
    run_gate(batch, "wr_1", lake.of_run())

    with pytest.raises(ManifestInvalid, match="is for batch"):
        run_merge(replace(batch, version_id="other"), MergeMode.UPSERT, "wr_1", lake.of_run())


def test_only_the_object_version_that_landed_is_read(lake: ALake):
    """A file overwritten since is read as it landed; a version that is not what was announced is refused."""
    batch = lake.land(a_sample().content)
    other = lake.land(b"something else")

    assert lake.of_run().open_batch(batch).read() == a_sample().content
    with pytest.raises(FileRejected, match="is not the object that was announced"):
        lake.of_run().open_batch(replace(batch, version_id=other.version_id))
    with pytest.raises(ObjectMissing, match="dt=2026-11-24/ does not exist"):
        lake.of_run().open_batch(replace(batch, key="employee/dt=2026-11-24/none.csv"))


def test_the_docs_zone_names_nobody(lake: ALake):
    """Pages, reports, manifests and alerts of passed and rejected runs hold no name of anybody."""
    canary = ("Xylophonia", "Quetzalcoatlus")
    lines = a_sample().content.decode().splitlines()
    planted = [
        f"{canary[0]} 7,{canary[1]},40,Sales,Clerk,50000,2020-01-31",
        f"{canary[0]},{canary[1]},230,Sales,Clerk,50000,2020-01-31",
        f"{canary[0]},{canary[1]}",
        f"{canary[0]},{canary[1]},40,Sales,Clerk,many,2020-01-31",
        f"{canary[0]},{canary[1]},40,Sales,Clerk,50000,2020-01-31",
        f"{canary[0]},{canary[1]},40,Sales,Clerk,50001,2020-01-31",
    ]
    published(lake, lake.land("\n".join(lines + planted).encode()), "wr_1")
    refused(lake, lake.land("\n".join(planted * 100).encode(), file="no_header.csv"), "wr_2", GateRejected)
    refused(lake, lake.land("\n".join(lines[:1] + planted).encode(), file="short.csv"), "wr_3", GateRejected)
    told = [
        lake.client("s3").get_object(Bucket=lake.bucket("docs"), Key=k)["Body"].read()
        for k in lake.keys("docs")
    ]
    told += [mail.encode() for mail in lake.mails()]

    assert lake.rows("quarantine").num_rows == 4
    assert [text for text in told for name in canary if name.encode() in text] == []
