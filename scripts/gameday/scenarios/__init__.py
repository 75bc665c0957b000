"""The scenarios, in the order in which they are played."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from scripts.gameday.episode import Episode
from scripts.gameday.scenarios import alerting, crashes, deployment, freshness, landing, past
from scripts.gameday.story import Story


class Name(StrEnum):
    GATE_CRASH = "gate-crash"
    MERGE_CRASH = "merge-crash"
    SNS_DOWN = "sns-down"
    FILE_TWICE = "file-twice"
    FILE_MISSING = "file-missing"
    FILE_LATE = "file-late"
    BAD_SUITE = "bad-suite"
    BACKFILLS_RACE = "backfills-race"
    QUARANTINE_REPLAY = "quarantine-replay"


@dataclass(frozen=True, slots=True)
class Scenario:
    """`documented` is how it has to end, in a line; docs/gameday.md tells it at length."""

    done: str
    documented: str
    play: Callable[[Story, Episode], None]


SCENARIOS: Mapping[Name, Scenario] = {
    Name.GATE_CRASH: Scenario(
        "the gate's process is killed once",
        "retried after the first wait, published; people hear of the failure and of its end",
        crashes.gate_crash,
    ),
    Name.MERGE_CRASH: Scenario(
        "the merge's process is killed four times, each time at its commit",
        "three retries with growing waits, from the merge on; then a record and one call for a person, whose "
        "`make replay` resumes the run",
        crashes.merge_crash,
    ),
    Name.SNS_DOWN: Scenario(
        "SNS answers 503 to everybody while one file is published and another rejected",
        "no run fails for it; both alerts wait, and come once when SNS is back",
        alerting.sns_down,
    ),
    Name.FILE_TWICE: Scenario(
        "a file's event comes twice, and then the same file lands again",
        "one run's effect: nothing is doubled, nobody is woken",
        landing.file_twice,
    ),
    Name.FILE_MISSING: Scenario(
        "a day passes and no file lands: probe and alarms are asked about tomorrow",
        "the probe says missing, the freshness alarm goes off, people are paged",
        freshness.file_missing,
    ),
    Name.FILE_LATE: Scenario(
        "a file lands when the last publication is already a day old",
        "paged while it is missing; published when it lands, and the page ends and says so",
        freshness.file_late,
    ),
    Name.BAD_SUITE: Scenario(
        "a suite that names an unknown column takes the deployed one's place; later it is put back",
        "fails closed: one alert, no retry, nothing written; replayed, the batch is published",
        deployment.bad_suite,
    ),
    Name.BACKFILLS_RACE: Scenario(
        "two backfills of one date, whose file landed unseen, run at once",
        "both succeed; no row is doubled, and none that was there is another",
        past.backfills_race,
    ),
    Name.QUARANTINE_REPLAY: Scenario(
        "rows go into quarantine; the rule that one of them broke is loosened, and they are replayed",
        "that row is in the table, once, and no longer in quarantine; the other one stays there",
        past.quarantine_replay,
    ),
}
