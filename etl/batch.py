"""Batch: one landed version of one file of a dataset. Standard library only: the Lambdas use it."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum

from etl.errors import ArgumentsInvalid, RawKeyInvalid

_RAW_KEY = re.compile(r"(?P<dataset>[a-z][a-z0-9_]*)/dt=(?P<day>\d{4}-\d{2}-\d{2})/[^/]+\.csv(\.gz)?")
_HASH_DIGITS = 16  # at the end of a batch id, behind the date


class MergeMode(StrEnum):
    """upsert (nightly): changed rows are updated. insert_only (backfill): a key that exists is left alone."""

    UPSERT = "upsert"
    INSERT_ONLY = "insert_only"


@dataclass(frozen=True, slots=True)
class Batch:
    """`size_bytes` and `etag` are S3's; `landed_at` is the object's last modification, UTC."""

    dataset: str
    batch_date: date
    bucket: str
    key: str
    version_id: str
    etag: str
    size_bytes: int
    landed_at: datetime

    @property
    def batch_id(self) -> str:
        """Equal for equal object versions only; readable, and free of anything a row holds."""
        identity = "\n".join((self.bucket, self.key, self.version_id, self.etag))
        return (
            f"{self.dataset}-{self.batch_date}-{hashlib.sha256(identity.encode()).hexdigest()[:_HASH_DIGITS]}"
        )

    @property
    def folder_uri(self) -> str:
        """Where the file is, as far as people are told: its name is the sender's, and may name somebody."""
        return f"s3://{self.bucket}/{raw_folder(self.dataset, self.batch_date)}"


def date_of_batch(batch_id: str) -> date:
    """The date that the batch with this id is for."""
    return date.fromisoformat(batch_id[-_HASH_DIGITS - 11 : -_HASH_DIGITS - 1])


def raw_folder(dataset: str, batch_date: date) -> str:
    """`employee/dt=2026-11-24/`: the folder of the raw zone that a batch lands in."""
    return f"{dataset}/dt={batch_date}/"


def parse_raw_key(key: str) -> tuple[str, date]:
    """`employee/dt=2026-11-24/x.csv` → (dataset, batch date).

    Raises RawKeyInvalid.
    """
    match = _RAW_KEY.fullmatch(key)
    if not match:
        raise RawKeyInvalid(key, "the key does not name a dataset and a date")
    try:
        return match["dataset"], date.fromisoformat(match["day"])
    except ValueError as error:
        raise RawKeyInvalid(key, f"{match['day']} is not a day of the calendar") from error


def is_raw_key(key: str) -> bool:
    """Whether parse_raw_key takes the key."""
    try:
        parse_raw_key(key)
    except RawKeyInvalid:
        return False
    return True


def to_run_properties(batch: Batch, merge_mode: MergeMode, trigger: str) -> dict[str, str]:
    """What the Glue workflow run carries; Glue takes strings only.

    The key is left out, for it may name people; the job finds it by the version id, which S3 gives but once.
    The batch id, which is made from it, is there for those who tell of the run.
    """
    properties = asdict(batch) | {"batch_id": batch.batch_id, "merge_mode": merge_mode, "trigger": trigger}
    del properties["key"]
    properties["landed_at"] = batch.landed_at.astimezone(UTC).isoformat()
    return {name: str(value) for name, value in properties.items()}


def from_run_properties(
    properties: Mapping[str, str], find_key: Callable[[str, str, str], str]
) -> tuple[Batch, MergeMode]:
    """The inverse of to_run_properties; `find_key` tells the key of a version: (bucket, folder, version id).

    Raises ArgumentsInvalid when a property is missing or malformed: the run was not started by our Lambda.
    And whatever `find_key` raises.
    """
    try:
        dataset, batch_date = properties["dataset"], date.fromisoformat(properties["batch_date"])
        landed = Batch(
            dataset=dataset,
            batch_date=batch_date,
            bucket=properties["bucket"],
            key=raw_folder(dataset, batch_date),
            version_id=properties["version_id"],
            etag=properties["etag"],
            size_bytes=int(properties["size_bytes"]),
            landed_at=datetime.fromisoformat(properties["landed_at"]),
        )
        mode = MergeMode(properties["merge_mode"])
    except KeyError as error:
        raise ArgumentsInvalid(f"workflow run property {error} is missing") from error
    except ValueError as error:
        raise ArgumentsInvalid(f"workflow run properties cannot be used: {error}") from error
    return replace(landed, key=find_key(landed.bucket, landed.key, landed.version_id)), mode
