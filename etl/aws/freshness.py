"""What the freshness of datasets is told by, in the docs zone. Standard library and boto3 only."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from etl.aws.object_store import find_json, list_versions, update_json
from etl.batch import is_raw_key, parse_raw_key
from etl.operations.availability import mark, months_of_window
from etl.operations.freshness import Latest, latest_key, slots_key


def read_latest(docs_bucket: str, dataset: str) -> Latest:
    return Latest.from_document(find_json(docs_bucket, latest_key(dataset)))


def update_latest(docs_bucket: str, dataset: str, change: Callable[[Latest], Latest]) -> None:
    update_json(
        docs_bucket,
        latest_key(dataset),
        lambda document: change(Latest.from_document(document)).to_document(),
    )


def mark_slot(docs_bucket: str, dataset: str, at: datetime, letter: str) -> None:
    update_json(docs_bucket, slots_key(dataset, f"{at:%Y-%m}"), lambda days: mark(days or {}, at, letter))


def read_days(docs_bucket: str, dataset: str, months: list[str]) -> dict[str, str]:
    """What the probes of these months found (etl.operations.availability.Days)."""
    days: dict[str, str] = {}
    for month in months:
        days |= find_json(docs_bucket, slots_key(dataset, month)) or {}
    return days


def read_window(docs_bucket: str, dataset: str, until: datetime) -> dict[str, str]:
    return read_days(docs_bucket, dataset, months_of_window(until))


def find_newest(raw_bucket: str, dataset: str, later_than: date | None, at: datetime) -> str | None:
    """The version id of the newest file that had landed by `at` for a date later than that, if any."""
    after = f"{dataset}/dt={later_than + timedelta(days=1)}" if later_than else ""
    landed = [
        (parse_raw_key(version["key"])[1], version["landed_at"], version["version_id"])
        for version in list_versions(raw_bucket, f"{dataset}/dt=", after)
        if is_raw_key(version["key"]) and version["landed_at"] <= at
    ]
    return max(landed)[2] if landed else None
