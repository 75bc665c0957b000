"""Jobs that die in the middle of their work."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from scripts.gameday.episode import Episode, Took
from scripts.gameday.scenarios.landing import check_table
from scripts.gameday.story import DATASET, Story
from scripts.gameday.waits import deployed_retries, nominal_waits, with_waits_of_aws
from scripts.runs import WorkflowRun

_GATE_CRASH, _MERGE_CRASH = 1, 2
_CRASHES = 4


def gate_crash(story: Story, episode: Episode) -> None:
    view, known, before = story.view, story.known_runs(), story.metadata()
    with story.faults(crashes=[story.crash("gate", 1)]) as did:
        with view.step("the gate is killed while it stages what passed") as update:
            landed = story.land(_GATE_CRASH, story.file_of(_GATE_CRASH).content)
            failed = story.await_run(known, update)
        is_untouched, episode.began = story.metadata() == before, _first_crash(did())
    alert = story.await_alert("run-failed", landed.at)
    view.quote(alert.text)
    with view.step("the retry, by itself") as update:
        run = story.await_run(known, update)
        recovered = story.await_alert("recovered", landed.at)
    episode.alerted = Took(episode.since(alert.at))
    episode.recovered = with_waits_of_aws(episode.since(recovered.at), 1, story)
    episode.see(f"first {_told(failed)}; then {_told(run)}")
    episode.check("the gate failed", failed.job_states == {"gate": "FAILED"})
    episode.check("nothing of it was in the table then", is_untouched)
    episode.check("the retry went through gate and merge", _told(run) == "gate SUCCEEDED, merge SUCCEEDED")
    check_table(story, episode, _GATE_CRASH)
    kinds = [mail.kind for mail in story.alerts(landed.at)]
    episode.check("people heard of it once, and of its end", kinds == ["run-failed", "recovered"])


def merge_crash(story: Story, episode: Episode) -> None:
    view, known, before = story.view, story.known_runs(), story.metadata()
    gates, runs = _job_runs(story, "gate"), list[WorkflowRun]()
    with story.faults(crashes=[story.crash("merge", _CRASHES)]) as did:
        landed = story.land(_MERGE_CRASH, story.file_of(_MERGE_CRASH).content)
        for title in ("the merge is killed at its commit", "again at retry 1", "at retry 2", "at retry 3"):
            with view.step(title) as update:
                runs.append(story.await_run(known, update))
        alert = story.await_alert("manual-intervention", landed.at)
        crashes = [datetime.fromisoformat(crash["at"]) for crash in did()["crashed"]]
    view.quote(alert.text)
    episode.began = crashes[0]
    episode.alerted = with_waits_of_aws(episode.since(alert.at), _CRASHES - 1, story)
    _check_given_up(story, episode, runs, crashes)
    episode.check("the table is as it was", story.metadata() == before)
    record = _check_record(story, episode, runs[-1])
    with view.step(record["resume_command"]) as update:
        story.run_script("scripts.replay", "--run", runs[-1].run_id)
        update("waiting for the mail")
        recovered = story.await_alert("recovered", landed.at)
    episode.recovered = with_waits_of_aws(episode.since(recovered.at), _CRASHES - 1, story)
    episode.check("the gate ran once in all of it", len(_job_runs(story, "gate") - gates) == 1)
    check_table(story, episode, _MERGE_CRASH)
    episode.check("the record is resolved", story.intervention(runs[-1])["resolved_at"] is not None)
    kinds = [mail.kind for mail in story.alerts(landed.at)]
    told = ["run-failed", "manual-intervention", "recovered"]
    episode.check("people heard that it is tried again, that it was given up, and of its end", kinds == told)


def _check_given_up(
    story: Story, episode: Episode, runs: Sequence[WorkflowRun], crashes: Sequence[datetime]
) -> None:
    waits = [(later - earlier).total_seconds() for earlier, later in pairwise(crashes)]
    configured = nominal_waits(deployed_retries(story), len(waits))
    told = ", ".join(f"{seconds:.1f}" for seconds in waits)
    episode.see(f"{len(crashes)} merges killed, {told} s apart; configured waits {configured} s")
    states = [run.job_states.get("merge") for run in runs]
    episode.check("the merge failed four times", states == ["FAILED"] * _CRASHES)
    kept = all(wait >= least for wait, least in zip(waits, configured, strict=True))
    episode.check(
        "each retry came after the wait that is configured for it, and these grow",
        kept and configured == sorted(set(configured)),
    )


def _check_record(story: Story, episode: Episode, last: WorkflowRun) -> dict[str, Any]:
    record = story.intervention(last)
    episode.check(
        "the record of it is open, as JSON", record["resolved_at"] is None and record["attempts"] == _CRASHES
    )
    table = f"{story.outputs['databases']['operations']}.interventions"
    sql = (
        f"SELECT step, attempts, resume_command FROM {table} "
        f"WHERE dataset = '{DATASET}' AND run_id = '{last.run_id}' AND resolved_at IS NULL"
    )
    episode.check(
        "... and a row in Athena",
        story.ask(sql).rows == (("merge", str(_CRASHES), record["resume_command"]),),
    )
    episode.check(
        "it names the command that resumes the run",
        record["resume_command"] == f"make replay RUN={last.run_id}",
    )
    return record


def _first_crash(did: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(did["crashed"][0]["at"])


def _told(run: WorkflowRun) -> str:
    return ", ".join(f"{step} {state}" for step, state in run.job_states.items())


def _job_runs(story: Story, step: str) -> set[str]:
    runs = story.machine.client("glue").get_job_runs(JobName=f"{story.workflow}-{step}")["JobRuns"]
    return {run["Id"] for run in runs}
