"""What carries the alerts is down."""

import csv
import io
import time
from collections.abc import Sequence
from datetime import datetime

from scripts.demo_view import Update
from scripts.gameday.episode import Episode, Took
from scripts.gameday.mails import Mail
from scripts.gameday.scenarios.landing import check_table
from scripts.gameday.story import Story, await_value, now
from scripts.gameday.waits import longest_until
from scripts.runs import WorkflowRun
from scripts.sample_data import Fault

_PUBLISHED, _REJECTED = 4, 5
_WAITING = "operations/alerts/waiting/"
_SETTLE_SECONDS = 4.0
_KINDS = ["gate-rejected", "identity-changed"]


def sns_down(story: Story, episode: Episode) -> None:
    view, known = story.view, story.known_runs()
    with story.faults(refused=["sns"]) as did:
        with view.step(
            "while SNS answers 503: a file with two rows of one person, and one to reject"
        ) as update:
            landed = story.land(_PUBLISHED, _with_collision(story.file_of(_PUBLISHED).content))
            story.land(_REJECTED, story.file_of(_REJECTED, (Fault.RENAMED_COLUMN,)).content)
            ended = [story.await_run(known, update) for _ in range(2)]
        asked, waiting, early = did()["refused"], len(story.keys("docs", _WAITING)), story.alerts(landed.at)
    episode.began, runs = now(), {run.properties["batch_date"]: run for run in ended}
    published, rejected = runs[str(story.day(_PUBLISHED))], runs[str(story.day(_REJECTED))]
    episode.see(f"SNS refused {asked} requests; {waiting} alerts waited in the docs bucket")
    episode.check("SNS was asked, and refused", asked > 0)
    episode.check("the good file is published all the same", published.job_states.get("merge") == "SUCCEEDED")
    episode.check("the bad one is rejected, and no run failed otherwise", _is_rejected(rejected))
    episode.check("nobody was told while it was down", not early)
    episode.check("both alerts wait", waiting == len(_KINDS))
    with view.step("SNS is back; alerts that wait for a minute go with the next sweep") as update:
        mails = _sweep(story, landed.at, update)
    for mail in mails:
        view.quote(mail.subject)
    sweep = f"{story.prefix}-sweep"
    at_most = longest_until(sweep, story)
    episode.alerted = Took(
        episode.since(mails[-1].at), at_most, f"at most, to the next sweep; {sweep} was fired by hand here"
    )
    episode.check("both alerts came", sorted(mail.kind for mail in mails) == _KINDS)
    check_table(story, episode, _PUBLISHED)
    story.fire_schedule(sweep)
    time.sleep(_SETTLE_SECONDS)
    episode.check("none waits any more", not story.keys("docs", _WAITING))
    episode.check("a further sweep sends nothing again", len(story.alerts(landed.at)) == len(_KINDS))


def _sweep(story: Story, since: datetime, update: Update) -> Sequence[Mail]:
    """Fire the sweep again and again, as the clock does, until both alerts have come."""

    def look() -> Sequence[Mail] | None:
        story.fire_schedule(f"{story.prefix}-sweep")
        time.sleep(_SETTLE_SECONDS)
        mails = story.alerts(since)
        update(f"{len(mails)} of {len(_KINDS)} alerts came")
        return mails if len(mails) >= len(_KINDS) else None

    return await_value(look, "the alerts that waited", 120)


def _is_rejected(run: WorkflowRun) -> bool:
    return bool(run.gate) and run.gate["verdict"] == "rejected" and run.job_states == {"gate": "FAILED"}


def _with_collision(content: bytes) -> bytes:
    """The first row once more, with another salary: two people, or a mistake; the merge alerts."""
    header, first = content.split(b"\n", 2)[:2]
    fields = next(csv.reader([first.decode()]))
    place = header.decode().split(",").index("salary")
    fields[place] = str(int(fields[place]) + 1000)
    row = io.StringIO()
    csv.writer(row, lineterminator="\n").writerow(fields)
    return content + row.getvalue().encode()
