"""Every five minutes: is each dataset as fresh as it was promised, and if not, why."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from etl.aws.freshness import find_newest, mark_slot, read_latest, read_window, update_latest
from etl.aws.metrics import publish_metrics
from etl.operations.availability import SLOT, Availability, measure
from etl.operations.freshness import LETTERS, Cause, Freshness, Latest, assess
from etl.operations.records import as_timestamp, from_timestamp
from etl.settings import ProbeSettings, Promise, from_probe_environment

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """The scheduler says what time it is asked about; to ask again about the same gives the same.

    Raises what went wrong for one dataset once all have been looked at.
    """
    settings, at = from_probe_environment(), datetime.fromisoformat(event["at"])
    found, errors = {}, []
    for dataset, promise in sorted(settings.promises.items()):
        try:
            found[dataset] = _probe(dataset, promise, at, settings).cause
        except Exception as error:
            logger.exception("%s could not be looked at", dataset)
            errors.append(error)
    if errors:
        raise errors[0]
    return {"at": event["at"], "causes": found}


def _probe(dataset: str, promise: Promise, at: datetime, settings: ProbeSettings) -> Freshness:
    latest = _watched(dataset, at, settings)
    find_landed = partial(find_newest, settings.raw_bucket, dataset, at=at)
    freshness = assess(latest, promise.freshness_hours, at, find_landed)
    mark_slot(settings.docs_bucket, dataset, at, LETTERS[freshness.cause])
    days = read_window(settings.docs_bucket, dataset, at)
    watched_since = from_timestamp(latest.watched_since) if latest.watched_since else at
    availability = measure(days, watched_since, at + SLOT, promise.availability_percent)
    publish_metrics(settings.metrics_namespace, dataset, _metrics(freshness, availability), at)
    logger.info("%s: %.1f h, %s", dataset, freshness.hours, freshness.cause or "fresh")
    return freshness


def _watched(dataset: str, at: datetime, settings: ProbeSettings) -> Latest:
    """What is known of the dataset; the first look at it is remembered."""
    latest = read_latest(settings.docs_bucket, dataset)
    if latest.watched_since is None:

        def watch(known: Latest) -> Latest:
            return replace(known, watched_since=known.watched_since or as_timestamp(at))

        update_latest(settings.docs_bucket, dataset, watch)
        latest = watch(latest)
    return latest


def _metrics(freshness: Freshness, availability: Availability) -> dict[str, float]:
    causes = {cause.capitalize(): float(freshness.cause is cause) for cause in Cause}
    return {
        "HoursSincePublished": freshness.hours,
        "Fresh": float(freshness.is_fresh),
        **causes,
        "AvailabilityPercent": availability.percent,
        "ErrorBudgetLeftPercent": availability.budget_left_percent,
        "BurnRate": availability.burn_rate,
    }
