"""Where and how a run is interrupted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Self

# A refusal is a gate over a file that it rejects.
Step = Literal["gate", "merge", "refusal"]
STEPS: tuple[Step, ...] = ("gate", "merge", "refusal")


class Effect(StrEnum):
    """What happens at a call. Before: it never reaches AWS; after: it does, and nobody hears the answer."""

    KILL_BEFORE = "kill-before"
    KILL_AFTER = "kill-after"
    THROTTLED = "throttled"
    ERROR_500 = "error-500"
    ERROR_503 = "error-503"
    LOST_ANSWER = "lost-answer"
    RESET = "reset"
    HELD_FOR_RETRY = "held-for-retry"
    HELD_FOR_BACKFILL = "held-for-backfill"
    RACE = "race"


KILLS = (Effect.KILL_BEFORE, Effect.KILL_AFTER)
FAULTS = (Effect.THROTTLED, Effect.ERROR_500, Effect.ERROR_503, Effect.LOST_ANSWER, Effect.RESET)
HOLDS = (Effect.HELD_FOR_RETRY, Effect.HELD_FOR_BACKFILL)


class Variant(StrEnum):
    """Of a kill: whether the same run is taken up again, or a new one started. Of a fault: how many calls."""

    SAME_RUN = "same"
    NEW_RUN = "new"
    ONE = "1"
    TWO = "2"
    ALL = "all"
    ONLY = "-"


@dataclass(frozen=True, slots=True)
class Point:
    """`call` is the number of the call, from 1; of a race it is the seed."""

    step: Step
    call: int
    effect: Effect
    variant: Variant = Variant.ONLY

    def __str__(self) -> str:
        return f"{self.step}:{self.call}:{self.effect}:{self.variant}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError."""
        step, call, effect, variant = text.split(":")
        if step not in STEPS:
            raise ValueError(f"{step} is not a step")
        return cls(step, int(call), Effect(effect), Variant(variant))


def all_points(calls: Mapping[Step, int], races: range) -> Iterator[Point]:
    """Every point of runs that make so many calls, and the races with these seeds."""
    for step in STEPS:
        for call in range(1, calls[step] + 1):
            for effect in KILLS:
                yield Point(step, call, effect, Variant.SAME_RUN)
                if step != "refusal":
                    yield Point(step, call, effect, Variant.NEW_RUN)
            for effect in FAULTS:
                for times in (Variant.ONE, Variant.TWO, Variant.ALL):
                    yield Point(step, call, effect, times)
            for effect in HOLDS if step != "refusal" else ():
                yield Point(step, call, effect)
    for seed in races:
        yield Point("merge", seed, Effect.RACE)
