"""How well a dataset kept its promise to be fresh: availability, error budget and burn rate.

Time is cut into slots of five minutes, from midnight UTC; a probe writes one letter for its slot. A slot that
no probe wrote counts as one in which the dataset was not fresh: who does not know promises nothing.
docs/sla.md says it all with an example.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

SLOT = timedelta(minutes=5)
WINDOW = timedelta(days=30)
BURN_WINDOW = timedelta(hours=1)
SLOTS_A_DAY = timedelta(days=1) // SLOT
FRESH, UNKNOWN = "F", "."

Days = Mapping[str, str]
"""2026-11-24 → a letter for each slot of that day; of a day that is not over, the rest may be left out."""


@dataclass(frozen=True, slots=True)
class Availability:
    """What became of a promise; `slots` is how many of the window have been, `not_fresh` those that count
    against it. The budget is that of a whole window, from its first day on.

    `burn_rate` is the share of the last hour that was not fresh, over the share that may be: at 1 the budget
    is used up in just the window, at 720 in an hour.
    """

    slots: int
    not_fresh: int
    target_percent: float
    burn_rate: float

    @property
    def percent(self) -> float:
        """Of no slots at all, 100: nothing was promised yet."""
        return 100 * (1 - self.not_fresh / self.slots) if self.slots else 100.0

    @property
    def budget_minutes(self) -> float:
        return WINDOW / timedelta(minutes=1) * (100 - self.target_percent) / 100

    @property
    def spent_minutes(self) -> float:
        return self.not_fresh * (SLOT / timedelta(minutes=1))

    @property
    def budget_left_percent(self) -> float:
        """100 is all of it; below 0 the promise is broken."""
        return 100 * (1 - self.spent_minutes / self.budget_minutes)


def measure(days: Days, since: datetime, until: datetime, target_percent: float) -> Availability:
    """Over the last WINDOW, from the slot that `since` is in up to the one before that of `until`."""
    slots = list(_letters(days, max(_slot(since), _slot(until) - WINDOW // SLOT), _slot(until)))
    recent = slots[-(BURN_WINDOW // SLOT) :]
    may_fail = (100 - target_percent) / 100
    return Availability(
        slots=len(slots),
        not_fresh=sum(letter != FRESH for letter in slots),
        target_percent=target_percent,
        burn_rate=sum(letter != FRESH for letter in recent) / len(recent) / may_fail if recent else 0.0,
    )


def mark(days: Days, at: datetime, letter: str) -> dict[str, str]:
    """`days` with the letter for the slot of `at`, in place of another."""
    day, number = _day_and_number(_slot(at))
    known = days.get(day, "").ljust(number + 1, UNKNOWN)
    return {**days, day: known[:number] + letter + known[number + 1 :]}


def number_in_day(at: datetime) -> int:
    """Of the slot that the time is in, and so how many of its day's have been before it."""
    return _day_and_number(_slot(at))[1]


def months_of_window(until: datetime) -> list[str]:
    """The months, as 2026-11, that the window before `until` touches."""
    first, last = (until - WINDOW).date(), until.date()
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return sorted({f"{day:%Y-%m}" for day in every})


def _letters(days: Days, first: int, end: int) -> Iterator[str]:
    for slot in range(first, end):
        day, number = _day_and_number(slot)
        yield days.get(day, "")[number : number + 1] or UNKNOWN


def _slot(at: datetime) -> int:
    return int(at.timestamp()) // int(SLOT.total_seconds())


def _day_and_number(slot: int) -> tuple[str, int]:
    day, number = divmod(slot, SLOTS_A_DAY)
    return str(date(1970, 1, 1) + timedelta(days=day)), number
