"""Files that never land, or land late: what the probe says, and what the alarms make of it."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from etl.operations.freshness import latest_key
from etl.operations.records import as_timestamp, from_timestamp
from scripts.gameday.episode import Episode, Took
from scripts.gameday.mails import Mail
from scripts.gameday.scenarios.landing import check_table
from scripts.gameday.story import DATASET, NotSeen, Story, await_value, now
from scripts.gameday.waits import longest_until

_LATE = 8
_PAGE = "not-as-promised"
_CLOUDWATCH_SECONDS = 60  # it evaluates alarms every minute
_PROBE_EVERY = timedelta(minutes=5)
_MOST_PROBES = 7  # half an hour after the last one that was not fresh


def file_missing(story: Story, episode: Episode) -> None:
    due = _published_at(story) + timedelta(hours=_promised_hours(story), minutes=1)
    _be_fresh_until(story, due - _PROBE_EVERY)
    with story.view.step(f"the probe and the alarms, asked about {due:%Y-%m-%d %H:%M}"):
        mail, _ = _let_page_begin(story, episode, due)
    story.view.quote(f"{mail.subject}\n{mail.text}")
    story.machine.evaluate_alarms()  # sets their clock going again


def file_late(story: Story, episode: Episode) -> None:
    view, known = story.view, story.known_runs()
    _be_fresh_until(story, now())
    _set_back(story, timedelta(hours=_promised_hours(story), minutes=1))
    with view.step("the probe and the alarms, when nothing was published for a day and no file is there"):
        _, at = _let_page_begin(story, episode, now())
    with view.step("the file lands") as update:
        landed = story.land(_LATE, story.file_of(_LATE).content)
        run = story.await_run(known, update)
        published = now()
    with view.step("the probes after that, and the alarms"):
        mail, probes = _let_page_end(story, at, landed.at)
    view.quote(mail.subject)
    minutes = probes * _PROBE_EVERY // timedelta(minutes=1)
    to_publish = (published - landed.at).total_seconds()
    because = f"from landing: {to_publish:.0f} s to publish, {probes} probes of 5 min until the page ends"
    episode.recovered = Took((mail.at - landed.at).total_seconds(), to_publish + 60 * minutes, because)
    episode.see(f"published {to_publish:.0f} s after landing; the page ends with the {probes}th fresh probe")
    episode.check("the file is published", run.job_states.get("merge") == "SUCCEEDED")
    pages = [mail.subject.partition(":")[0] for mail in story.mails(episode.began) if mail.kind == _PAGE]
    episode.check("people were paged once, and heard of the end", pages == ["ALARM", "OK"])
    check_table(story, episode, _LATE)
    story.machine.evaluate_alarms()


def _be_fresh_until(story: Story, at: datetime) -> None:
    """As the clock would have asked until then; so whatever was before, no page is open."""
    for ago in (2, 1, 0):
        _probe(story, at - ago * _PROBE_EVERY)
    if _state(story, story.machine.evaluate_alarms(at), _PAGE) != "OK":
        raise NotSeen("fresh data and no open page, to begin with,")


def _let_page_begin(story: Story, episode: Episode, at: datetime) -> tuple[Mail, datetime]:
    """Ask about this moment, and as the clock would about the next; the mail, and when was asked last."""
    episode.began = now()
    cause = _probe(story, at)
    story.machine.evaluate_alarms(at)
    mail = _await_page(story, "ALARM", episode.began)
    every = longest_until(f"{story.prefix}-probe-freshness", story)
    because = f"at most: a probe every {every} s, alarms every {_CLOUDWATCH_SECONDS} s"
    episode.alerted = Took(episode.since(mail.at), every + _CLOUDWATCH_SECONDS, because)
    episode.see(f"the probe says {cause}; the page {_PAGE} is mailed")
    episode.check("the probe says that the file is missing", cause == "missing")
    episode.check("people are paged, by a mail with its runbook", mail.kind == _PAGE)
    at += _PROBE_EVERY
    cause, states = _probe(story, at), story.machine.evaluate_alarms(at)
    is_on = cause == "missing" and _state(story, states, "freshness") == "ALARM"
    episode.check("with the next probe the freshness alarm is on, too", is_on)
    return mail, at


def _let_page_end(story: Story, at: datetime, since: datetime) -> tuple[Mail, int]:
    """Ask as the clock would after that moment; the mail, and how many probes it took."""
    for number in range(1, _MOST_PROBES + 1):
        at += _PROBE_EVERY
        if cause := _probe(story, at):
            raise NotSeen(f"fresh data after the file was published (the probe says {cause})")
        if _state(story, story.machine.evaluate_alarms(at), _PAGE) == "OK":
            return _await_page(story, "OK", since), number
    raise NotSeen(f"the end of the page, with {_MOST_PROBES} fresh probes")


def _probe(story: Story, at: datetime) -> str | None:
    """The cause that the deployed probe names for this moment; None when the data is fresh."""
    answer = story.machine.client("lambda").invoke(
        FunctionName=story.outputs["lambda_functions"]["probe-freshness"],
        Payload=json.dumps({"at": at.strftime("%Y-%m-%dT%H:%M:%SZ")}),
    )
    said = json.loads(answer["Payload"].read())
    if "causes" not in said:
        raise NotSeen(f"an answer of the probe: {said}")
    return said["causes"][DATASET]


def _await_page(story: Story, state: str, since: datetime) -> Mail:
    def find() -> Mail | None:
        start = f'{state}: "{story.prefix}-{DATASET}-{_PAGE}"'
        return next((mail for mail in story.mails(since) if mail.subject.startswith(start)), None)

    return await_value(find, f"a mail that the page's state is {state}", 20)


def _state(story: Story, states: Mapping[str, str], alarm: str) -> str | None:
    return states.get(f"{story.prefix}-{DATASET}-{alarm}")


def _promised_hours(story: Story) -> float:
    """As the deployed probe was told."""
    name = story.outputs["lambda_functions"]["probe-freshness"]
    answer = story.machine.client("lambda").get_function_configuration(FunctionName=name)
    return json.loads(answer["Environment"]["Variables"]["PROMISES"])[DATASET]["freshness_hours"]


def _latest(story: Story) -> dict[str, Any]:
    return json.loads(story.get("docs", latest_key(DATASET)))


def _published_at(story: Story) -> datetime:
    return from_timestamp(_latest(story)["published"]["published_at"])


def _set_back(story: Story, passed: timedelta) -> None:
    """As if so much time had passed since the last publication: no clock here can be moved."""
    latest = _latest(story)
    for name in ("published_at", "last_published_at"):
        earlier = from_timestamp(latest["published"][name]) - passed
        latest["published"][name] = as_timestamp(earlier)
    story.put("docs", latest_key(DATASET), json.dumps(latest).encode())
