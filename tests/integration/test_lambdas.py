"""The Lambdas' handlers, on the events that SQS and the scheduler give them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from builders import NOON
from lakes import ALake

from etl.aws.object_store import find_key
from etl.batch import Batch, MergeMode, from_run_properties
from etl.errors import ObjectMissing
from etl.lambdas import start_workflow
from etl.run_files import batch_key


@pytest.fixture
def workflow(lake: ALake, monkeypatch: pytest.MonkeyPatch) -> str:
    """The dataset's workflow, of a job that does nothing, and the Lambdas' environment."""
    monkeypatch.setenv("NAME_PREFIX", lake.name)
    monkeypatch.setenv("RAW_BUCKET", lake.bucket("raw"))
    monkeypatch.setenv("DOCS_BUCKET", lake.bucket("docs"))
    monkeypatch.setenv("DATASETS", "employee,gone")
    monkeypatch.setenv("ALERT_TOPIC_ARN", lake.topic_arn)
    monkeypatch.setenv("RUNBOOKS_URL", "docs/runbooks")
    name = f"{lake.name}-employee"
    lake.client("glue").create_workflow(Name=name)
    job = a_job(lake, "start")
    lake.client("glue").create_trigger(
        Name=f"{name}-start", WorkflowName=name, Type="ON_DEMAND", Actions=[{"JobName": job}]
    )
    return name


def a_job(lake: ALake, step: str) -> str:
    glue, iam, name = lake.client("glue"), lake.client("iam"), f"{lake.name}-employee-{step}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{lake.bucket('artifacts')}/none.py"}
    glue.create_job(Name=name, Role=role, Command=command, GlueVersion="5.1", Timeout=1)
    return name


def sqs(*bodies: dict[str, Any]) -> dict[str, Any]:
    return {"Records": [{"messageId": f"m{i}", "body": json.dumps(body)} for i, body in enumerate(bodies)]}


def object_created(batch: Batch, **changes: Any) -> dict[str, Any]:
    """EventBridge's "Object Created" for the batch's object."""
    found = {
        "key": batch.key,
        "size": batch.size_bytes,
        "etag": batch.etag,
        "version-id": batch.version_id,
        "sequencer": "0",
    }
    return {
        "detail-type": "Object Created",
        "source": "aws.s3",
        "time": "2026-11-24T12:00:00Z",
        "detail": {"bucket": {"name": batch.bucket}, "object": found | changes},
    }


def runs(lake: ALake, workflow: str) -> list[dict[str, str]]:
    found = lake.client("glue").get_workflow_runs(Name=workflow)["Runs"]
    return [run["WorkflowRunProperties"] for run in found]


def test_a_landed_file_starts_the_workflow_with_its_batch(lake: ALake, workflow: str):
    """One event, one run, whose properties are the very object version that landed."""
    batch = lake.land(b"name,age\n")

    assert start_workflow.handler(sqs(object_created(batch)), None) == {"batchItemFailures": []}
    (properties,) = runs(lake, workflow)
    assert from_run_properties(properties, find_key) == (batch, MergeMode.UPSERT)
    assert properties["trigger"] == "landed"


def test_a_key_that_names_no_dataset_is_told_and_not_retried(lake: ALake, workflow: str):
    """A malformed key stays malformed: an alert, no run, and the message is done with."""
    batch = lake.land(b"x")
    stray = object_created(batch, key="employee/notes.csv")

    assert start_workflow.handler(sqs(stray), None) == {"batchItemFailures": []}
    (mail,) = lake.mails()
    assert mail.startswith("[Lakegate warning] A file landed that no dataset can take\n")
    assert f"version {batch.version_id} in s3://{lake.bucket('raw')}\n" in mail
    assert "notes" not in mail
    assert runs(lake, workflow) == []


def test_a_file_of_no_dataset_is_told_and_a_folder_is_nothing(lake: ALake, workflow: str):
    """A typo in the first folder loses no file silently; making a folder in the console is no file."""
    stray = object_created(lake.land(b"x"), key="employees/dt=2026-11-24/x.csv")
    folder = object_created(lake.land(b""), key="employee/dt=2026-11-24/", size=0)

    assert start_workflow.handler(sqs(stray, folder), None) == {"batchItemFailures": []}
    (mail,) = lake.mails()
    assert "its first folder is no dataset" in mail
    assert runs(lake, workflow) == []


def test_a_file_for_a_day_in_the_future_is_told_and_not_run(lake: ALake, workflow: str):
    """Its rows would count as newer than those of every day until then."""
    early = object_created(lake.land(b"x", NOON.date() + timedelta(days=2)))

    assert start_workflow.handler(sqs(early), None) == {"batchItemFailures": []}
    (mail,) = lake.mails()
    assert "the date lies in the future" in mail
    assert runs(lake, workflow) == []


def test_a_run_that_cannot_be_started_comes_again(lake: ALake, workflow: str):
    """Only the messages that failed go back to the queue; the others of the batch are done."""
    unknown = object_created(lake.land(b"x"), key="gone/dt=2026-11-24/x.csv")
    incomplete = {"detail": {}}
    good = object_created(lake.land(b"name,age\n"))

    assert start_workflow.handler(sqs(unknown, incomplete, good), None) == {
        "batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]
    }
    assert len(runs(lake, workflow)) == 1
    assert lake.mails() == []


def test_the_night_picks_up_the_files_of_today(lake: ALake, workflow: str):
    """The scheduler starts a run for each CSV of yesterday and today, in its newest version, that no gate has
    judged, and for nothing else."""
    today = datetime.now(UTC).date()
    lake.client("glue").update_workflow(Name=workflow, MaxConcurrentRuns=10)
    lake.land(b"old", today)
    wanted = [lake.land(b"new", today), lake.land(b"other", today, "more.csv.gz")]
    lake.land(b"x", today, "notes.txt")
    lake.land(b"", today, "")  # the marker of a folder
    wanted.append(lake.land(b"late", today - timedelta(days=1)))
    lake.land(b"old", today - timedelta(days=2))
    judged = batch_key("employee", lake.land(b"judged", today, "judged.csv").batch_id)
    lake.client("s3").put_object(Bucket=lake.bucket("docs"), Key=judged, Body=b"{}")
    started = start_workflow.handler({"dataset": "employee", "trigger": "nightly"}, None)["started"]
    found = [from_run_properties(properties, find_key)[0].batch_id for properties in runs(lake, workflow)]

    assert len(started) == 3
    assert sorted(found) == sorted(batch.batch_id for batch in wanted)


def test_a_night_without_files_starts_nothing(lake: ALake, workflow: str):
    """No file of today, no run."""
    assert start_workflow.handler({"dataset": "employee", "trigger": "nightly"}, None) == {"started": []}


def test_a_run_finds_its_file_by_folder_and_version(lake: ALake):
    """A version that is not the latest is found too; one of another folder, or of none, is missing."""
    first, _, elsewhere = lake.land(b"1"), lake.land(b"2"), lake.land(b"3", NOON.date() + timedelta(days=1))
    folder = "employee/dt=2026-11-24/"

    assert find_key(lake.bucket("raw"), folder, first.version_id) == first.key
    for version_id in (elsewhere.version_id, "none"):
        with pytest.raises(ObjectMissing, match=f"version {version_id} in s3://"):
            find_key(lake.bucket("raw"), folder, version_id)
