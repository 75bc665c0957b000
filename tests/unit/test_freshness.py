"""What counts as a new batch, and why a dataset is not fresh."""

from datetime import date, timedelta

import pytest
from builders import NOON, TODAY

from etl.operations.freshness import Cause, Latest, assess
from etl.operations.records import as_timestamp

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def published(latest: Latest, day: date, at_hours: float, version: str = "v", landed: float = 0) -> Latest:
    at = NOON + at_hours * HOUR
    return latest.with_published(version, day, f"batch-{version}", "wr", NOON + landed * HOUR, at)


def hours_at(latest: Latest, at_hours: float, promised: float = 24) -> float:
    return assess(latest, promised, NOON + at_hours * HOUR, lambda _: None).hours


TODAYS = published(Latest(), TODAY, 1, "today")


def test_a_newer_date_starts_the_clock():
    """What counts is when a batch of a newer date was published."""
    assert hours_at(published(TODAYS, TODAY + DAY, 20), 26) == 6


@pytest.mark.parametrize("landed", [0, 19], ids=["landed before", "landed since"])
def test_a_backfill_of_an_old_date_does_not(landed: float):
    """Yesterday's rows make no reader see newer data, whenever they landed."""
    assert hours_at(published(TODAYS, TODAY - DAY, 20, landed=landed), 26) == 25


def test_a_second_file_for_a_date_does_not():
    """A file that lands twice, or is corrected, is not the next day's."""
    assert hours_at(published(TODAYS, TODAY, 20, "again", landed=19), 26) == 25


def test_where_files_come_more_often_than_daily_the_last_one_counts():
    """A promise of hours is kept by several files a date; an older file of it is no news."""
    again = published(TODAYS, TODAY, 20, "again", landed=19)
    assert hours_at(again, 26, promised=6) == 6
    assert hours_at(published(again, TODAY, 25, "old", landed=2), 26, promised=6) == 6


def test_publishing_the_same_batch_again_changes_nothing():
    """A run that repeats what is done does not make it new."""
    assert published(TODAYS, TODAY, 20, "today") == TODAYS


def test_the_promise_is_kept_until_its_last_minute():
    """At just the promised hours a dataset is fresh, a minute later it is not."""
    asked = []
    at = NOON + 25 * HOUR
    assert assess(TODAYS, 24, at, asked.append).is_fresh
    assert asked == [], "nothing needs to be listed while all is well"
    late = assess(TODAYS, 24, at + timedelta(minutes=1), lambda later: asked.append(later))
    assert (late.cause, asked) == (Cause.MISSING, [TODAY])


@pytest.mark.parametrize("cause", [Cause.FAILED, Cause.REJECTED])
def test_the_cause_is_what_became_of_the_newest_file(cause: Cause):
    """A file that landed is late, until its run failed or the gate refused it; then that is what is told."""
    refused = TODAYS.with_refused("v2", TODAY + DAY, cause)
    at = NOON + 30 * HOUR

    assert assess(refused, 24, at, lambda _: "v2").cause is cause
    assert assess(refused, 24, at, lambda _: "v3").cause is Cause.LATE
    assert assess(published(refused, TODAY + DAY, 29, "v2"), 24, at, lambda _: "v2").is_fresh
    assert published(refused, TODAY + DAY, 29, "v2").refused == {}


def test_what_is_published_is_not_refused_any_more():
    """A failure that is told late does not stain a date that is in the table."""
    assert TODAYS.with_refused("v0", TODAY, Cause.FAILED) == TODAYS


def test_before_the_first_batch_the_first_look_counts():
    """A new dataset has as long for its first batch as for any other, and then it is missing."""
    watched = Latest(watched_since=as_timestamp(NOON))
    assert assess(Latest(), 24, NOON, lambda _: None).is_fresh
    assert assess(watched, 24, NOON + DAY, lambda _: None).is_fresh
    assert assess(watched, 24, NOON + 25 * HOUR, lambda _: None).cause is Cause.MISSING


def test_the_document_comes_back():
    """What is known survives being written as JSON."""
    known = TODAYS.with_refused("v2", TODAY + DAY, Cause.REJECTED)
    assert Latest.from_document(known.to_document()) == known
    assert Latest.from_document(None) == Latest()
