"""What is deployed is broken."""

import json

from scripts.gameday.episode import Episode, Took
from scripts.gameday.scenarios.landing import check_table
from scripts.gameday.story import SUITE, Story

_BAD_SUITE = 12


def bad_suite(story: Story, episode: Episode) -> None:
    view, known, before = story.view, story.known_runs(), story.metadata()
    first_runs = set(known)
    with story.deployed_instead(SUITE, _without_sense(story.get("artifacts", SUITE))):
        with view.step("a file, while the bad suite is deployed") as update:
            landed = story.land(_BAD_SUITE, story.file_of(_BAD_SUITE).content)
            run = story.await_run(known, update)
        alert = story.await_mail("gate-broken", landed.at)
    view.quote(alert.text)
    episode.began = landed.at
    episode.alerted = Took(episode.since(alert.at))
    verdict = run.gate["verdict"] if run.gate else "none"
    episode.see(f"verdict: {verdict}; {alert.subject}")
    episode.check("the gate says that it could not judge", verdict == "error")
    episode.check("the merge did not run", "merge" not in run.job_states)
    episode.check("the table is as it was", story.metadata() == before)
    with view.step(f"the good suite is back: make replay RUN={run.run_id}") as update:
        story.run_script("scripts.replay", "--run", run.run_id)
        update("waiting for the mail")
        recovered = story.await_mail("recovered", landed.at)
    episode.recovered = Took(episode.since(recovered.at))
    check_table(story, episode, _BAD_SUITE)
    episode.check("nothing but the replay tried it again", len(story.known_runs() - first_runs) == 2)
    kinds = [mail.kind for mail in story.alerts(landed.at)]
    episode.check("people heard of it once, and of its end", kinds == ["gate-broken", "recovered"])


def _without_sense(suite: bytes) -> bytes:
    """With one expectation, good otherwise, about a column that no contract declares."""
    stated = json.loads(suite)
    about_null = next(e for e in stated["expectations"] if e["type"] == "expect_column_values_to_not_be_null")
    about_null["kwargs"]["column"] = "salery"
    return json.dumps(stated).encode()
