"""Whether a dataset is as fresh as its contract promises, and if not, why.

What counts is when a batch of a newer date than any before was published. Neither a backfill of an old date
nor a second file for a date that is in the table makes readers see newer data, so neither stops the clock. A
dataset that is promised more often than daily has several files a date: there the last to land counts.

A dataset that has published nothing yet is as old as the first look at it, for nothing was promised before.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from etl.operations.records import as_timestamp, from_timestamp

_HOURS_OF_A_DATE = 24
_MOST_UNPUBLISHED = 50


class Cause(StrEnum):
    """Why a dataset is not fresh, by what became of the newest file that landed since.

    missing: there is none; late: it is not published yet; failed: a job or the check itself broke; rejected:
    the gate refused it.
    """

    MISSING = "missing"
    LATE = "late"
    FAILED = "failed"
    REJECTED = "rejected"


def latest_key(dataset: str) -> str:
    """In the docs zone, of what is known of the dataset's newest batches (Latest)."""
    return f"operations/latest/{dataset}.json"


def slots_key(dataset: str, month: str) -> str:
    """In the docs zone, of what the probes of a month found (etl.operations.availability.Days)."""
    return f"operations/freshness/{dataset}/{month}.json"


LETTERS = {None: "F", Cause.MISSING: "M", Cause.LATE: "L", Cause.FAILED: "X", Cause.REJECTED: "R"}
"""What a probe writes for its slot (etl/operations/availability.py); None is fresh."""


@dataclass(frozen=True, slots=True)
class Published:
    """The newest date that was published: first at `published_at`, and last with the file of `landed_at`."""

    batch_date: str
    batch_id: str
    run_id: str
    landed_at: str
    published_at: str
    last_published_at: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was not published, as failed or rejected."""

    batch_date: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class Latest:
    """What is known of a dataset's newest batches. `refused` is by the version id of the file."""

    watched_since: str | None = None
    published: Published | None = None
    refused: Mapping[str, Refused] = field(default_factory=dict)

    @classmethod
    def from_document(cls, document: Mapping[str, Any] | None) -> Self:
        known = document or {}
        published = known.get("published")
        return cls(
            watched_since=known.get("watched_since"),
            published=Published(**published) if published else None,
            refused={
                version: Refused(one["batch_date"], Cause(one["cause"]))
                for version, one in known.get("refused", {}).items()
            },
        )

    def to_document(self) -> dict[str, Any]:
        return asdict(self)

    def with_published(
        self, version_id: str, batch_date: date, batch_id: str, run_id: str, landed_at: datetime, at: datetime
    ) -> Self:
        known, now = self.published, as_timestamp(at)
        new = Published(str(batch_date), batch_id, run_id, as_timestamp(landed_at), now, now)
        if known and (new.batch_date, new.landed_at) <= (known.batch_date, known.landed_at):
            new = known
        elif known and new.batch_date == known.batch_date:
            new = replace(new, published_at=known.published_at)
        refused = {
            version: one
            for version, one in self.refused.items()
            if version != version_id and one.batch_date > new.batch_date
        }
        return replace(self, published=new, refused=refused)

    def with_refused(self, version_id: str, batch_date: date, cause: Cause) -> Self:
        """Of a date that is published already, nothing is missing."""
        if self.published and str(batch_date) <= self.published.batch_date:
            return self
        refused = {**self.refused, version_id: Refused(str(batch_date), cause)}
        newest = sorted(refused, key=lambda version: refused[version].batch_date)[-_MOST_UNPUBLISHED:]
        return replace(self, refused={version: refused[version] for version in newest})

    def since(self, promised_hours: float) -> datetime | None:
        """When the clock began that the promise is measured by; None if nobody has looked yet."""
        if self.published is None:
            return from_timestamp(self.watched_since) if self.watched_since else None
        sub_daily = promised_hours < _HOURS_OF_A_DATE
        return from_timestamp(self.published.last_published_at if sub_daily else self.published.published_at)


@dataclass(frozen=True, slots=True)
class Freshness:
    """`hours` since the last batch that counts; `cause` is None while the dataset is fresh."""

    hours: float
    cause: Cause | None

    @property
    def is_fresh(self) -> bool:
        return self.cause is None


FindLanded = Callable[[date | None], str | None]
"""The version id of the newest file whose date is later (None: of any date), if there is one."""


def assess(latest: Latest, promised_hours: float, at: datetime, find_landed: FindLanded) -> Freshness:
    """`find_landed` is asked only if the dataset is not fresh."""
    age = at - (latest.since(promised_hours) or at)
    cause = None
    if age > timedelta(hours=promised_hours):
        newest_date = date.fromisoformat(latest.published.batch_date) if latest.published else None
        version_id = find_landed(newest_date)
        if version_id is None:
            cause = Cause.MISSING
        else:
            refused = latest.refused.get(version_id)
            cause = refused.cause if refused else Cause.LATE
    return Freshness(max(age / timedelta(hours=1), 0.0), cause)
