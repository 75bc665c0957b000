"""What `make status` finds out, over what runs and probes leave."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lakes import ALake

from etl.aws.freshness import mark_slot, update_latest
from etl.aws.lake import Lake
from etl.aws.object_store import write_object
from etl.aws.operations import record_failed_run
from etl.batch import MergeMode, to_run_properties
from etl.operations.intervention import Intervention, intervention_key
from etl.operations.records import as_timestamp
from scripts.status_report import DatasetStatus, Status, read_status

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC)
TODAY = NOW.date()
HOUR = timedelta(hours=1)


def status(lake: ALake, at: datetime) -> Status:
    outputs: dict[str, Any] = {
        "workflows": {"employee": f"{lake.name}-employee"},
        "buckets": {zone: lake.bucket(zone) for zone in ("docs", "raw")},
        "databases": {"quarantine": lake.database("quarantine")},
        "service_levels": {"employee": {"freshness_hours": 24, "availability_percent": 99.9}},
    }
    return read_status("local", outputs, 5, at)


def of_employee(lake: ALake, at: datetime) -> DatasetStatus:
    return status(lake, at).datasets["employee"]


def test_a_stack_before_its_first_file_is_as_promised(lake: ALake):
    """Nothing was promised of what nobody has looked at; no part of the status needs a file to be there."""
    found = status(lake, NOW)
    employee = found.datasets["employee"]

    assert found.is_as_promised
    assert (employee.availability, employee.quarantined_rows, employee.runs) == (None, 0, [])


def test_each_broken_promise_is_a_problem(lake: ALake):
    """No freshness, a spent budget, a failed run, one that waits and a ringing alarm are told one by one."""
    docs, later = lake.bucket("docs"), NOW + 25 * HOUR
    lake.of_run().mark_published(lake.land(b"x", TODAY), "wr_1")
    update_latest(docs, "employee", lambda known: replace(known, watched_since=as_timestamp(NOW)))
    mark_slot(docs, "employee", NOW, "F")
    assert of_employee(lake, NOW).problems == ()

    batch = lake.land(b"x", TODAY + timedelta(days=1))
    properties = to_run_properties(batch, MergeMode.UPSERT, "landed")
    record_failed_run(docs, "wr_2", properties, "merge", "RunFailed: x", 4, NOW)
    waiting = Intervention(
        dataset="employee",
        batch_date=str(batch.batch_date),
        run_id="wr_2",
        step="merge",
        error="RunFailed: x",
        attempts=4,
        opened_at=NOW.isoformat(),
        resolved_at=None,
        resume_command="make replay RUN=wr_2",
        log_group="/aws-glue/jobs/error",
        docs_uri=None,
    )
    key = intervention_key("employee", "wr_2")
    write_object(docs, key, waiting.to_json().encode(), "application/json")
    cloudwatch, alarm = lake.client("cloudwatch"), f"{lake.name}-employee-freshness"
    for name in (alarm, f"{lake.name}-employee-quiet", f"{lake.name}-failed-runs"):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace=lake.name,
            MetricName="Fresh",
            Statistic="Minimum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="LessThanThreshold",
            TreatMissingData="ignore",
        )
    for name in (alarm, f"{lake.name}-failed-runs"):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    found = status(lake, later)
    employee = found.datasets["employee"]

    assert employee.problems == (
        "not fresh: failed",
        "its error budget is used up",
        f"its newest run, over the batch of {batch.batch_date}, is failed: RunFailed: x",
        "runs that wait for a person: 1",
        f"the alarm {alarm} rings",
    )
    assert [one.resume_command for one in employee.interventions] == ["make replay RUN=wr_2"]
    assert (found.alarms, found.is_as_promised) == ([f"{lake.name}-failed-runs"], False)

    resuming = Lake(lake.of_run("wr_3")._settings, ("wr_2",))
    resuming.begin_run(batch, "landed", MergeMode.UPSERT)
    (newest, failed) = sorted(of_employee(lake, later).runs, key=lambda run: run.run_id, reverse=True)
    assert (newest.state, newest.attempts, newest.error) == ("started", 5, None)
    assert (failed.state, failed.attempts) == ("failed", 4)

    resolved = replace(waiting, resolved_at=later.isoformat())
    write_object(docs, key, resolved.to_json().encode(), "application/json")
    assert of_employee(lake, later).interventions == []
