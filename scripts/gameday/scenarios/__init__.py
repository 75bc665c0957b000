"""The scenarios, in the order in which they are played."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from scripts.gameday.episode import Episode
from scripts.gameday.scenarios import landing
from scripts.gameday.story import Story


class Name(StrEnum):
    FILE_TWICE = "file-twice"


@dataclass(frozen=True, slots=True)
class Scenario:
    """`documented` is how it has to end, in a line; docs/gameday.md tells it at length."""

    done: str
    documented: str
    play: Callable[[Story, Episode], None]


SCENARIOS: Mapping[Name, Scenario] = {
    Name.FILE_TWICE: Scenario(
        "a file's event comes twice, and then the same file lands again",
        "one run's effect: nothing is doubled, nobody is woken",
        landing.file_twice,
    ),
}
