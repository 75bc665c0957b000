"""What operators do about the past: backfills, and quarantined rows submitted again."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from etl.run_files import merge_report_key
from scripts.gameday.episode import Episode, Took
from scripts.gameday.scenarios.landing import check_table
from scripts.gameday.story import DATASET, SUITE, Story, now
from scripts.land_past import landing_unseen
from scripts.sample_data import Fault

_BACKFILLED, _QUARANTINED = 14, 16
_FAULTS = (Fault.UNKNOWN_DEPARTMENT, Fault.AGE_230)
_NEW_DEPARTMENT = "Astrology"  # what the fault makes of a department
_RULE = "expect_column_values_to_be_in_set"


def backfills_race(story: Story, episode: Episode) -> None:
    view, day = story.view, story.day(_BACKFILLED)
    others, known = _others(story, day), story.known_runs()
    with landing_unseen(story.machine.client("events"), story.prefix):
        landed = story.land(_BACKFILLED, story.file_of(_BACKFILLED).content)
    episode.began = landed.at
    # Without FORCE=1 the second one would find the run of the first, and wait for it.
    with view.step(f"two at once: make backfill DATE={day} FORCE=1"), ThreadPoolExecutor(2) as pool:
        command = ("scripts.backfill", "--date", str(day), "--force")
        for ended in [pool.submit(story.run_script, *command) for _ in range(2)]:
            ended.result()
    episode.recovered = Took(episode.since(now()))
    in_table = story.count(f"SELECT count(*) FROM {story.table} WHERE _batch_date = DATE '{day}'")
    reports = [_merge_report(story, run_id) for run_id in story.known_runs() - known]
    inserted = [report["counts"]["inserted"] for report in reports]
    conflicts = max((report["conflicts"] for report in reports), default=0)
    episode.see(f"{len(reports)} runs at once inserted {inserted} rows, and left {conflicts} as they were")
    episode.check("each started a run of its own", len(reports) == 2)
    episode.check("the rows that the table lacked are in it, once", sum(inserted) == in_table > 0)
    episode.check("rows that differ from the table's are counted, and left", conflicts > 0)
    episode.check("no row that was there is another now", _others(story, day) == others)
    check_table(story, episode, _BACKFILLED)
    episode.check("nobody is told anything", not story.alerts(landed.at))


def quarantine_replay(story: Story, episode: Episode) -> None:
    view, known = story.view, story.known_runs()
    with view.step("a file with a row of a new department, and a row of an impossible age") as update:
        landed = story.land(_QUARANTINED, story.file_of(_QUARANTINED, _FAULTS).content)
        run = story.await_run(known, update)
    batch = str(run.gate["batch_id"]) if run.gate else ""
    episode.began = landed.at
    episode.check("both rows are in quarantine", _quarantined(story, batch) == 2)
    episode.check("nobody of the new department is in the table", _of_new_department(story) == 0)
    with story.deployed_instead(SUITE, _with_department(story.get("artifacts", SUITE))):
        with view.step(f"the rule knows the department now: make replay QUARANTINE={batch}"):
            story.run_script("scripts.replay", "--quarantine", batch)
        episode.recovered = Took(episode.since(now()))
        left = _quarantined(story, batch)
        episode.see(
            f"{_of_new_department(story)} of the new department in the table; {left} row left in quarantine"
        )
        episode.check("the row is in the table, once", _of_new_department(story) == 1)
        episode.check("it has left the quarantine, where the other one still is", left == 1)
        check_table(story, episode, _QUARANTINED)
        before = story.rows(), story.keys_in_table()
        with view.step("the same command again"):
            story.run_script("scripts.replay", "--quarantine", batch)
        episode.check("to replay it again changes nothing", (story.rows(), story.keys_in_table()) == before)
        episode.check("... in the quarantine neither", _quarantined(story, batch) == 1)


def _others(story: Story, day: date) -> tuple[str | None, ...]:
    """Of the rows that other dates brought: how many, and a sum over all that they say."""
    sql = (
        "SELECT count(*), sum(salary), count(DISTINCT _row_hash), max(_ingested_at), "
        f"min(_row_hash), max(_row_hash) FROM {story.table} WHERE _batch_date <> DATE '{day}'"
    )
    return story.ask(sql).rows[0]


def _merge_report(story: Story, run_id: str) -> dict[str, Any]:
    return json.loads(story.get("docs", merge_report_key(DATASET, run_id)))


def _quarantined(story: Story, batch_id: str) -> int:
    return story.count(f"SELECT count(*) FROM {story.quarantine} WHERE batch_id = '{batch_id}'")


def _of_new_department(story: Story) -> int:
    return story.count(f"SELECT count(*) FROM {story.table} WHERE department = '{_NEW_DEPARTMENT}'")


def _with_department(suite: bytes) -> bytes:
    """The suite with the rule loosened: the new department is one of the known."""
    stated = json.loads(suite)
    rule = next(e for e in stated["expectations"] if e["type"] == _RULE)
    rule["kwargs"]["value_set"].append(_NEW_DEPARTMENT)
    return json.dumps(stated).encode()
