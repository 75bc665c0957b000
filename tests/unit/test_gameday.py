"""What a game day concludes of its scenarios, and how it tells it."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from scripts.demo_view import View
from scripts.gameday.__main__ import play
from scripts.gameday.episode import Episode, Took
from scripts.gameday.mails import read_mails
from scripts.gameday.scenarios import SCENARIOS, Name, Scenario
from scripts.gameday.story import NotSeen
from scripts.gameday.table import exit_code, in_words, table_of, write_document
from scripts.gameday.waits import nominal_waits, retries_on_aws


def an_episode(*checks: tuple[str, bool], error: str | None = None) -> Episode:
    episode = Episode("merge-crash", "the merge is killed", "resumed", View(Console(quiet=True)))
    for statement, holds in checks:
        episode.check(statement, holds)
    episode.error = error
    return episode


def shown(*episodes: Episode) -> str:
    console = Console(width=200, file=io.StringIO())
    console.print(table_of(episodes))
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("episodes", "code"),
    [
        ([an_episode(("published", True)), an_episode(("told", True))], 0),
        ([an_episode(("published", True)), an_episode(("published", True), ("told", False))], 1),
        ([an_episode(("published", True), error="NotSeen: a mail")], 1),
        ([an_episode()], 1),
        ([], 1),
    ],
)
def test_only_a_day_on_which_all_ended_as_documented_exits_with_0(episodes: list[Episode], code: int):
    """A check that failed, an error, a scenario that checked nothing, and no scenario at all exit with 1."""
    assert exit_code(episodes) == code


def test_the_table_says_what_was_seen_how_long_it_took_and_what_was_otherwise():
    """A row per scenario; times that AWS would take are marked as computed, and say by what."""
    good = an_episode(("published", True))
    good.see("2 runs")
    good.alerted, good.recovered = Took(3.24), Took(12, 195, "waits of 60, 120 s")
    text = shown(good, an_episode(("told once", False)))
    for told in ("2 runs", "3.2 s", "12.0 s", "on AWS, computed", "waits of 60", "✗ told once", "no alert"):
        assert told in text
    assert "✓ 1 check" in text


def test_the_document_holds_what_the_table_does(tmp_path: Path):
    """Programs find each scenario with its checks and times, and whether the day was a good one."""
    episode = an_episode(("published", True), ("told", False))
    episode.alerted = Took(3.24, 63.24, "a wait of 60 s")
    write_document([episode], tmp_path / "build" / "gameday.json")
    found = json.loads((tmp_path / "build" / "gameday.json").read_text())
    assert found["as_documented"] is False
    [told] = found["episodes"]
    assert (told["name"], told["checks"], told["failed_checks"]) == ("merge-crash", 2, ["told"])
    assert told["alerted"] == {"seconds": 3.2, "computed_on_aws": 63.2, "because": "a wait of 60 s"}


class _Story:
    """Stands in for a machine that cannot be asked much."""

    view = View(Console(quiet=True))
    machine: Any = None


@pytest.mark.parametrize("error", [NotSeen("a mail"), ClientError({"Error": {"Code": "Busy"}}, "PutObject")])
def test_a_scenario_that_breaks_off_is_told_and_does_not_end_the_day(error: Exception, monkeypatch):
    """What was waited for in vain, or AWS's refusal, becomes the scenario's error; the day goes on."""

    def fail(_story: Any, _episode: Episode) -> None:
        raise error

    monkeypatch.setattr("scripts.gameday.__main__.describe_state", lambda _: iter(()))
    episode = play(Name.FILE_TWICE, Scenario("done", "documented", fail), _Story())  # type: ignore[arg-type]
    assert type(error).__name__ in (episode.error or "")
    assert not episode.is_as_documented


def test_every_scenario_is_documented():
    """docs/gameday.md has a section for each scenario, in the order in which they are played."""
    text = (Path(__file__).parents[2] / "docs" / "gameday.md").read_text()
    places = [text.find(f"\n### {name}\n") for name in SCENARIOS]
    assert -1 not in places
    assert places == sorted(places)


def test_a_mail_tells_when_it_came_and_of_what_kind(tmp_path: Path):
    """The kind is that of the runbook which the mail names; mails are in the order in which they came."""
    headers = "To: a@example.com\nSubject: [Lakegate critical] employee\nX-Topic-Arn: arn\n\n"
    (tmp_path / "20261124T120001.500000Z-2.txt").write_text(
        f"{headers}Runbook: docs/runbooks/run-failed.md\n"
    )
    (tmp_path / "20261124T120000.000000Z-1.txt").write_text(f"{headers}no runbook\n")
    mails = read_mails(tmp_path.glob("*.txt"), datetime(2026, 11, 24, 11, tzinfo=UTC))
    assert [mail.kind for mail in mails] == ["", "run-failed"]
    assert mails[1].at == datetime(2026, 11, 24, 12, 0, 1, 500000, UTC)
    assert mails[1].subject == "[Lakegate critical] employee"
    assert read_mails(tmp_path.glob("*.txt"), mails[1].at) == [mails[1]]


def test_the_waits_of_aws_are_those_that_the_stack_configures():
    """Without another choice, retries wait 1, 2 and 4 minutes; an unreadable default would raise."""
    policy = retries_on_aws()
    assert nominal_waits(policy, policy.attempts) == [60, 120, 240]


@pytest.mark.parametrize(("seconds", "words"), [(9.04, "9.0 s"), (430, "7 min"), (90_000, "25.0 h")])
def test_durations_read_well(seconds: float, words: str):
    assert in_words(seconds) == words
