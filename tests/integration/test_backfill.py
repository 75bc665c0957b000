"""Backfills and replays on a real lake: what is told before is what is done, and every row is somewhere."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from builders import EXPECTATIONS, NOON, TODAY
from gate_runs import a_sample, counts, published
from lakes import ALake

from etl.aws.attended_runs import AttendedRuns
from etl.batch import Batch, MergeMode
from etl.manifest import Manifest
from etl.operations.attended import AttendedRun, State
from etl.pipeline import run_gate, run_merge
from etl.preview import BackfillPreview, Preview
from etl.run_report import Verdict
from scripts.sample_data import ROW_FAULTS, Day, Fault

pytestmark = pytest.mark.slow

YESTERDAY = TODAY - timedelta(days=1)


def everything(lake: ALake) -> Any:
    """All that a run could have written: every version of every object, tables, metrics and mails."""
    objects = {}
    for zone in ("raw", "processed", "quarantine", "docs", "artifacts"):
        pages = lake.client("s3").get_paginator("list_object_versions").paginate(Bucket=lake.bucket(zone))
        objects[zone] = [(v["Key"], v["VersionId"], v["ETag"]) for p in pages for v in p.get("Versions", [])]
    tables = [
        lake.client("glue").get_table(DatabaseName=lake.database(zone), Name="employee")["Table"]
        for zone in ("processed", "quarantine")
    ]
    return objects, [table["Parameters"] for table in tables], measured(lake, "RowsRead"), lake.mails()


def measured(lake: ALake, metric: str) -> tuple[float, float]:
    """How often it was told, and its sum."""
    points = lake.client("cloudwatch").get_metric_statistics(
        Namespace="Lakegate",
        MetricName=metric,
        Dimensions=[{"Name": "Dataset", "Value": "employee"}],
        StartTime=NOON - timedelta(days=365),
        EndTime=NOON + timedelta(days=365),
        Period=86400 * 365,
        Statistics=["SampleCount", "Sum"],
    )["Datapoints"]
    return sum(point["SampleCount"] for point in points), sum(point["Sum"] for point in points)


def seen_by(preview: Preview) -> tuple[int, int, int, int]:
    return preview.inserted, preview.already_there, preview.conflicts, preview.quarantined


def done_by(lake: ALake, batch: Batch, run_id: str) -> tuple[int, int, int, int]:
    """The same counts, as a backfill tells them of its run."""
    published(lake, batch, run_id, MergeMode.INSERT_ONLY)
    gate, merge = lake.report(run_id, "gate"), lake.report(run_id, "merge")
    run = AttendedRun.of(batch, run_id, "now").after(gate, merge, True, 1)
    return run.inserted, run.already_there, run.conflicts, run.quarantined


def test_a_dry_run_tells_what_is_done_and_does_nothing(lake: ALake):
    """Of several dates, each is counted as if those before it were done; nothing at all is written."""
    earlier = YESTERDAY - timedelta(days=1)
    published(lake, lake.land(a_sample(earlier).content), "wr_1")
    newer = lake.land(a_sample(YESTERDAY, day=Day.NEXT, faults=ROW_FAULTS).content, YESTERDAY)
    older = lake.land(a_sample(YESTERDAY, day=Day.NEXT).content, earlier)
    before = everything(lake)
    preview = BackfillPreview(lake.of_run("dry-run"))
    told = [preview.of(batch) for batch in (newer, older)]
    assert everything(lake) == before

    assert seen_by(told[0])[3] == 4
    assert all(seen_by(told[0])[:3]), "rows of each kind, or little is compared"
    (times, published_before) = measured(lake, "BatchPublished")
    done = [done_by(lake, batch, f"wr_{batch.batch_date}") for batch in (newer, older)]
    assert [seen_by(one) for one in told] == done
    assert measured(lake, "BatchPublished") == (times + 2, published_before), "no sign of today's file"
    again = BackfillPreview(lake.of_run("dry-run")).of(newer)
    assert seen_by(again) == done_by(lake, newer, "wr_again")


def test_a_dry_run_tells_why_a_file_would_be_rejected(lake: ALake):
    """A file that the gate rejects is told with the reason, and nobody is alerted."""
    batch = lake.land(a_sample(faults=(Fault.RENAMED_COLUMN,)).content)
    told = BackfillPreview(lake.of_run("dry-run")).of(batch)

    assert (told.verdict, seen_by(told)) == (Verdict.REJECTED, (0, 0, 0, 0))
    assert "column salary is missing" in (told.why or "")
    assert lake.mails() == []


def a_batch_with_a_row_in_quarantine(lake: ALake) -> Batch:
    batch = lake.land(a_sample(faults=(Fault.UNKNOWN_DEPARTMENT, Fault.AGE_230)).content)
    published(lake, batch, "wr_1")
    suite = json.loads((EXPECTATIONS / "employee" / "suite.json").read_text())
    known = next(e for e in suite["expectations"] if e["meta"]["name"] == "department_known")
    known["kwargs"]["value_set"].append("Astrology")
    lake.put_expectation("employee/suite.json", json.dumps(suite))
    return batch


def where_rows_are(lake: ALake) -> tuple[int, int]:
    return lake.rows().num_rows, lake.rows("quarantine").num_rows


def test_a_replay_that_dies_between_the_commits_loses_and_doubles_nothing(lake: ALake):
    """Merged and not yet released, a row is in both tables; whoever comes next releases it, once."""
    batch = a_batch_with_a_row_in_quarantine(lake)
    assert where_rows_are(lake) == (598, 2)
    dying = lake.of_run("wr_2")

    def die(_: Manifest) -> None:
        raise KeyboardInterrupt

    dying.release_rows = die
    run_gate(batch, "wr_2", dying)
    with pytest.raises(KeyboardInterrupt):
        run_merge(batch, MergeMode.UPSERT, "wr_2", dying)
    assert where_rows_are(lake) == (599, 2)

    same = run_merge(batch, MergeMode.UPSERT, "wr_2", lake.of_run("wr_2"))
    assert (same.counts.inserted, same.released) == (1, 1)
    assert where_rows_are(lake) == (599, 1)
    other = published(lake, batch, "wr_3")
    assert (counts(other)["quarantined"], other.released) == (1, 0)
    assert where_rows_are(lake) == (599, 1)


def test_what_came_of_a_run_that_was_resumed_is_told_of_it(lake: ALake):
    """A run whose merge failed is failed until it is resumed; then the run that resumes it is waited for."""
    batch, glue = lake.land(a_sample().content), lake.client("glue")
    name = f"{lake.name}-employee"
    lake.client("s3").put_object(Bucket=lake.bucket("artifacts"), Key="merge.py", Body=b"raise OSError\n")
    trust = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = lake.client("iam").create_role(RoleName=lake.name, AssumeRolePolicyDocument=policy)["Role"]
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{lake.bucket('artifacts')}/merge.py"}
    glue.create_job(Name=name, Role=role["Arn"], Command=command, GlueVersion="5.1", Timeout=1)
    glue.create_workflow(Name=name, MaxConcurrentRuns=1)
    glue.create_trigger(Name=name, WorkflowName=name, Actions=[{"JobName": name}], Type="ON_DEMAND")
    runs = AttendedRuns("employee", name, lake.bucket("docs"), "backfill", MergeMode.INSERT_ONLY)

    started = runs.start(batch)
    assert started
    assert (runs.most, runs.start(batch)) == (1, None), "the workflow is full"
    failed = ended(runs, started)
    runs.keep(failed)
    assert (failed.state, failed.why) == (State.FAILED, "the gate job ended without a report")

    (job,) = glue.get_workflow_run(Name=name, RunId=started.run_id, IncludeGraph=True)["Run"]["Graph"][
        "Nodes"
    ][1:]
    resumed = glue.resume_workflow_run(Name=name, RunId=started.run_id, NodeIds=[job["UniqueId"]])["RunId"]
    published(lake, batch, resumed, MergeMode.INSERT_ONLY)
    told = runs.look_at(runs.known(batch.batch_id)[batch.batch_id])
    assert (told.run_id, told.state, told.inserted) == (resumed, State.DONE, 600)
    runs.keep(told)
    assert runs.known(batch.batch_id) == {batch.batch_id: told}


def ended(runs: AttendedRuns, run: AttendedRun) -> AttendedRun:
    deadline = time.monotonic() + 20
    while (now := runs.look_at(run)).state is State.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return now
