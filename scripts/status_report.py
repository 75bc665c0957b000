"""How a deployed stack does, as values: what `make status` shows and its JSON says.

All of it is read at once, since each part is an answer of AWS that takes its time. The keys of the JSON are
the fields of the classes here; docs/status.md lists them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from etl.aws.clients import client
from etl.aws.freshness import find_newest, read_latest, read_window
from etl.aws.object_store import parse_s3_uri, read_object
from etl.aws.operations import read_interventions, read_newest_runs
from etl.operations.availability import measure
from etl.operations.freshness import Latest, assess
from etl.operations.intervention import Intervention
from etl.operations.records import RunRecord, RunState, from_timestamp

_REFUSED_STATES = {RunState.FAILED, RunState.REJECTED}


@dataclass(frozen=True, slots=True)
class FreshnessNow:
    """Against what the contract promises; `cause` is null while fresh (etl.operations.freshness.Cause)."""

    is_fresh: bool
    cause: str | None
    hours: float
    promised_hours: float
    newest_batch_date: str | None
    published_at: str | None


@dataclass(frozen=True, slots=True)
class AvailabilityNow:
    """Over the last 30 days, or since `watched_since` (etl/operations/availability.py)."""

    percent: float
    target_percent: float
    budget_minutes: float
    spent_minutes: float
    budget_left_percent: float
    burn_rate: float
    watched_since: str


@dataclass(frozen=True, slots=True)
class DatasetStatus:
    """`availability` is null where no probe has looked yet, `quarantined_rows` where it may not be read.

    `problems` says in words what is not as promised; empty is good. `runs` are the newest, newest first.
    """

    freshness: FreshnessNow
    availability: AvailabilityNow | None
    quarantined_rows: int | None
    runs: Sequence[RunRecord]
    interventions: Sequence[Intervention]
    alarms: Sequence[str]
    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class Status:
    """`alarms` are those in ALARM that are no dataset's."""

    environment: str
    at: str
    is_as_promised: bool
    datasets: Mapping[str, DatasetStatus]
    alarms: Sequence[str]


def read_status(environment: str, outputs: Mapping[str, Any], runs: int, at: datetime) -> Status:
    """`outputs` are Terraform's. Raises what botocore raises."""
    workflows = outputs["workflows"]
    prefix = next(name.removesuffix(dataset) for dataset, name in workflows.items())
    with ThreadPoolExecutor(max_workers=16) as pool:
        ringing = pool.submit(_alarms_in_alarm, prefix)
        reading = {dataset: _Reading(pool, dataset, outputs, runs, at) for dataset in sorted(workflows)}
        alarms = ringing.result()
        datasets = {
            dataset: read.status([name for name in alarms if name.startswith(f"{workflows[dataset]}-")])
            for dataset, read in reading.items()
        }
    others = [name for name in alarms if not any(name in one.alarms for one in datasets.values())]
    is_as_promised = not others and not any(one.problems for one in datasets.values())
    return Status(environment, at.isoformat(timespec="seconds"), is_as_promised, datasets, others)


class _Reading:
    """What is being read of one dataset."""

    def __init__(
        self, pool: ThreadPoolExecutor, dataset: str, outputs: Mapping[str, Any], runs: int, at: datetime
    ):
        docs, raw = outputs["buckets"]["docs"], outputs["buckets"]["raw"]
        self._promise, self._at = outputs["service_levels"][dataset], at
        self._latest = pool.submit(read_latest, docs, dataset)
        self._days = pool.submit(read_window, docs, dataset, at)
        self._runs = pool.submit(read_newest_runs, docs, dataset, runs)
        self._interventions = pool.submit(read_interventions, docs, dataset)
        self._quarantined = pool.submit(_rows_of_table, outputs["databases"]["quarantine"], dataset)
        self._find_landed = partial(find_newest, raw, dataset, at=at)

    def status(self, alarms: Sequence[str]) -> DatasetStatus:
        latest, runs = self._latest.result(), self._runs.result()
        freshness, availability = self._freshness(latest), self._availability(latest)
        waiting = [one for one in self._interventions.result() if one.resolved_at is None]
        return DatasetStatus(
            freshness=freshness,
            availability=availability,
            quarantined_rows=self._quarantined.result(),
            runs=runs,
            interventions=waiting,
            alarms=alarms,
            problems=tuple(_problems(freshness, availability, runs, waiting, alarms)),
        )

    def _freshness(self, latest: Latest) -> FreshnessNow:
        promised = self._promise["freshness_hours"]
        found = assess(latest, promised, self._at, self._find_landed)
        published = latest.published
        return FreshnessNow(
            is_fresh=found.is_fresh,
            cause=found.cause,
            hours=round(found.hours, 2),
            promised_hours=promised,
            newest_batch_date=published.batch_date if published else None,
            published_at=published.published_at if published else None,
        )

    def _availability(self, latest: Latest) -> AvailabilityNow | None:
        if latest.watched_since is None:
            return None
        since, target = from_timestamp(latest.watched_since), self._promise["availability_percent"]
        found = measure(self._days.result(), since, self._at, target)
        return AvailabilityNow(
            percent=round(found.percent, 4),
            target_percent=target,
            budget_minutes=round(found.budget_minutes, 2),
            spent_minutes=found.spent_minutes,
            budget_left_percent=round(found.budget_left_percent, 2),
            burn_rate=round(found.burn_rate, 2),
            watched_since=latest.watched_since,
        )


def _problems(
    freshness: FreshnessNow,
    availability: AvailabilityNow | None,
    runs: Sequence[RunRecord],
    waiting: Sequence[Intervention],
    alarms: Sequence[str],
) -> Iterator[str]:
    if not freshness.is_fresh:
        yield f"not fresh: {freshness.cause}"
    if availability and availability.budget_left_percent < 0:
        yield "its error budget is used up"
    if runs and runs[0].state in _REFUSED_STATES:
        why = runs[0].error or runs[0].reason
        yield f"its newest run, over the batch of {runs[0].batch_date}, is {runs[0].state}: {why}"
    if waiting:
        yield f"runs that wait for a person: {len(waiting)}"
    for name in alarms:
        yield f"the alarm {name} rings"


def _alarms_in_alarm(prefix: str) -> list[str]:
    pages = (
        client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=prefix, StateValue="ALARM", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    )
    found = (alarm for page in pages for alarm in (*page["MetricAlarms"], *page["CompositeAlarms"]))
    return sorted(alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM")


def _rows_of_table(database: str, table: str) -> int | None:
    """As Iceberg counts them in its metadata, which holds no row; None to those who may not read it."""
    try:
        described = client("glue").get_table(DatabaseName=database, Name=table)["Table"]
        metadata = json.loads(read_object(*parse_s3_uri(described["Parameters"]["metadata_location"])))
    except ClientError as error:
        if error.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}:
            return None
        raise
    current = metadata.get("current-snapshot-id")
    summaries = (s["summary"] for s in metadata.get("snapshots", ()) if s["snapshot-id"] == current)
    return next((int(summary["total-records"]) for summary in summaries), 0)
