"""The probe of freshness, over what runs leave and what landed."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from lakes import ALake

from etl.aws.freshness import read_window
from etl.aws.operations import record_failed_run
from etl.batch import MergeMode, to_run_properties
from etl.lambdas.probe_freshness import handler
from etl.operations.freshness import Cause

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC)
TODAY = NOW.date()
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
Probe = Callable[..., Cause | None]


@pytest.fixture
def probe(lake: ALake, monkeypatch: pytest.MonkeyPatch) -> Probe:
    """`probe(hours)` asks about so many hours from now, and answers the cause."""
    monkeypatch.setenv("RAW_BUCKET", lake.bucket("raw"))
    monkeypatch.setenv("DOCS_BUCKET", lake.bucket("docs"))
    monkeypatch.setenv("METRICS_NAMESPACE", lake.name)
    promise = {"freshness_hours": 24, "availability_percent": 99.9}
    monkeypatch.setenv("PROMISES", json.dumps({"employee": promise}))

    def ask(hours: float) -> Cause | None:
        return handler({"at": (NOW + hours * HOUR).isoformat()}, None)["causes"]["employee"]

    return ask


def publish(lake: ALake, on: date) -> None:
    lake.of_run().mark_published(lake.land(b"x", on), "wr_1")


def metrics(lake: ALake, hours: float) -> dict[str, float]:
    """What was sent of that time."""
    at = NOW + hours * HOUR
    query: dict[str, Any] = {"Namespace": lake.name, "Dimensions": [{"Name": "Dataset", "Value": "employee"}]}
    query |= {"StartTime": at - HOUR / 60, "EndTime": at + HOUR / 60, "Period": 60, "Statistics": ["Maximum"]}
    cloudwatch, found = lake.client("cloudwatch"), {}
    for name in {m["MetricName"] for m in cloudwatch.list_metrics(Namespace=lake.name)["Metrics"]}:
        points = cloudwatch.get_metric_statistics(MetricName=name, **query)["Datapoints"]
        if points:
            found[name] = points[0]["Maximum"]
    return found


def test_each_cause_is_told_by_what_became_of_the_newest_file(lake: ALake, probe: Probe):
    """Fresh, then missing, late, failed, rejected, and fresh again once it is published."""
    publish(lake, TODAY)
    assert [probe(1), probe(25)] == [None, Cause.MISSING]
    landed = lake.land(b"x", TODAY + DAY)
    assert probe(26) is Cause.LATE
    properties = to_run_properties(landed, MergeMode.UPSERT, "landed")
    record_failed_run(lake.bucket("docs"), "wr_2", properties, "merge", "RunFailed: x", 1, NOW)
    assert probe(27) is Cause.FAILED
    again = lake.land(b"y", TODAY + 2 * DAY)
    lake.of_run("wr_3").mark_refused(again, Cause.REJECTED)
    assert probe(28) is Cause.REJECTED
    assert metrics(lake, 28).items() >= {"Fresh": 0, "Rejected": 1, "Failed": 0, "Missing": 0}.items()
    publish(lake, TODAY + 2 * DAY)
    assert probe(1.5) is None


def test_a_probe_that_is_repeated_says_the_same(lake: ALake, probe: Probe):
    """The scheduler may invoke twice, and late: a slot is counted once, whatever came in between."""
    for hours in (0, 0.1, 25, 0.1, 25):
        probe(hours)
    days = read_window(lake.bucket("docs"), "employee", NOW + 25 * HOUR)

    assert "".join(days[day] for day in sorted(days)).replace(".", "") == "FFM"
    assert metrics(lake, 0).items() >= {"Fresh": 1, "AvailabilityPercent": 100, "BurnRate": 0}.items()
    assert metrics(lake, 25)["HoursSincePublished"] == pytest.approx(25, abs=0.01)
    assert metrics(lake, 25)["ErrorBudgetLeftPercent"] < 0, "nobody looked for a day"


def test_what_cannot_be_looked_at_fails_the_probe(lake: ALake, probe: Probe, monkeypatch: pytest.MonkeyPatch):
    """A probe that cannot read says nothing rather than something: the alarm takes silence for a breach."""
    monkeypatch.setenv("DOCS_BUCKET", "there-is-no-such-bucket")
    with pytest.raises(Exception, match="NoSuchBucket"):
        probe(0)
    assert metrics(lake, 0) == {}
