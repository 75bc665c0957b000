"""How much of the time a dataset was fresh, and what is left of its error budget."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from etl.operations.availability import (
    BURN_WINDOW,
    SLOT,
    WINDOW,
    Availability,
    Days,
    mark,
    measure,
    months_of_window,
)

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def a_year(seed: int) -> tuple[dict[str, str], dict[datetime, bool]]:
    """What probes wrote in a year of outages and of probes that never ran, and the truth."""
    chance = random.Random(seed)
    stale = set()
    for _ in range(60):
        begin, length = chance.randrange(365 * 288), int(chance.lognormvariate(3, 2))
        stale.update(range(begin, begin + length))
    days: dict[str, list[str]] = {}
    truth = {}
    for number in range(365 * 288):
        at = NEW_YEAR + number * SLOT
        ran = chance.random() > 0.002
        fresh = number not in stale
        truth[at] = ran and fresh
        days.setdefault(str(at.date()), []).append(("F" if fresh else "MLXR"[number % 4]) if ran else ".")
    return {day: "".join(letters) for day, letters in days.items()}, truth


def by_brute_force(
    truth: dict[datetime, bool], since: datetime, until: datetime, target: float
) -> Availability:
    """Slot by slot, in times."""
    slots = [at for at in truth if max(since, until - WINDOW) <= at < until]
    recent = [truth[at] for at in slots if at >= until - BURN_WINDOW]
    burned = recent.count(False) / len(recent) / (1 - target / 100)
    return Availability(len(slots), sum(not truth[at] for at in slots), target, burned)


@pytest.mark.parametrize("seed", range(2))
def test_a_simulated_year_adds_up(seed: int):
    """At any moment of a year, availability, budget and burn rate are what counting every probe gives."""
    days, truth = a_year(seed)
    chance = random.Random(seed)
    for since_day in (0, 200):
        since = NEW_YEAR + timedelta(days=since_day)
        for _ in range(6):
            until = since + timedelta(minutes=5 * chance.randrange(12, 288 * (365 - since_day)))
            measured = measure(days, since, until, 99.9)
            counted = by_brute_force(truth, since, until, 99.9)
            assert (measured.slots, measured.not_fresh) == (counted.slots, counted.not_fresh)
            assert measured.burn_rate == pytest.approx(counted.burn_rate)
            assert measured.percent == pytest.approx(100 - 100 * counted.not_fresh / counted.slots)
            spent = 100 * counted.not_fresh * 5 / 43.2
            assert measured.budget_left_percent == pytest.approx(100 - spent)


def fresh_days(count: int) -> Days:
    return {str((NEW_YEAR + timedelta(days=day)).date()): "F" * 288 for day in range(count)}


def test_the_example_of_the_docs():
    """An outage of 20 minutes in 30 days costs 20 of 43.2 minutes; a 720th of the budget an hour is par."""
    days = fresh_days(40)
    noon = NEW_YEAR + timedelta(days=39, hours=12)
    for late in range(4):
        days = mark(days, noon + late * SLOT, "L")
    measured = measure(days, NEW_YEAR, noon + timedelta(hours=1), 99.9)

    assert measured.budget_minutes == pytest.approx(43.2)
    assert measured.spent_minutes == 20
    assert measured.budget_left_percent == pytest.approx(53.7, abs=0.01)
    assert measured.percent == pytest.approx(99.954, abs=0.001)
    assert measured.burn_rate == pytest.approx(4 / 12 / 0.001)


def test_probes_that_never_ran_count_as_not_fresh():
    """A day of which nothing is known breaks the promise like one that was not fresh."""
    days = {day: letters for day, letters in fresh_days(30).items() if day != "2026-01-10"}
    measured = measure(days, NEW_YEAR, NEW_YEAR + timedelta(days=30), 99.9)
    assert (measured.slots, measured.not_fresh) == (30 * 288, 288)
    assert measured.budget_left_percent < 0


def test_a_deploys_first_day_has_an_answer():
    """Before the first probe nothing was promised: no slot counts, and all of the budget is left."""
    at = NEW_YEAR + timedelta(minutes=2)
    before = measure({}, at, at, 99.9)
    after = measure(mark({}, at, "F"), at, at + SLOT, 99.9)

    assert (before.slots, before.percent, before.budget_left_percent, before.burn_rate) == (0, 100, 100, 0)
    assert (after.slots, after.not_fresh) == (1, 0)


def test_a_slot_is_marked_once_in_any_order():
    """A probe that is repeated, or comes late, changes its own slot alone; nobody looked at those between."""
    early, late = NEW_YEAR + timedelta(minutes=7), NEW_YEAR + timedelta(minutes=21)
    days = mark(mark(mark({}, late, "M"), early, "L"), early + timedelta(seconds=60), "F")
    assert days == {"2026-01-01": ".F..M"}


def test_a_window_can_touch_three_months():
    """The window before the first of March begins in January."""
    assert months_of_window(datetime(2026, 3, 1, tzinfo=UTC)) == ["2026-01", "2026-02", "2026-03"]
