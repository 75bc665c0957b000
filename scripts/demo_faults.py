"""The demo with a fault: a job is killed, and what was deployed deals with it: `make demo FAULT=…`."""

from datetime import datetime
from enum import StrEnum

from scripts.gameday.story import PEOPLE, Story
from scripts.runs import WorkflowRun


class JobFault(StrEnum):
    """Whose process is killed: once, or as often as it takes until a human has to look."""

    GATE_CRASH = "gate-crash"
    MERGE_CRASH = "merge-crash"
    MERGE_CRASH_ALWAYS = "merge-crash-always"

    @property
    def step(self) -> str:
        return self.partition("-")[0]

    @property
    def times(self) -> int:
        return 4 if self is JobFault.MERGE_CRASH_ALWAYS else 1


def play_fault(story: Story, fault: JobFault) -> dict[str, WorkflowRun]:
    """One file lands, and its run fails as often as the fault says. The runs, by what they are."""
    known, runs, view = story.known_runs(), dict[str, WorkflowRun](), story.view
    with story.faults(crashes=[story.crash(fault.step, fault.times)]):
        with view.step(f"a file lands, and its {fault.step} is killed") as update:
            landed = story.land(0, story.file_of(0).content)
            runs["first"] = story.await_run(known, update)
        _check_failed(story, runs["first"], fault, landed.at)
        for number in range(1, fault.times):
            with view.step(f"retry {number}, which is killed too") as update:
                runs[f"retry {number}"] = story.await_run(known, update)
    if fault.times > 1:
        _replay(story, list(runs.values())[-1], landed.at)
    with view.step("the run goes on where it failed") as update:
        runs["resumed"] = story.await_run(known, update)
    _check_recovered(story, runs["resumed"], fault, landed.at)
    return runs


def _check_failed(story: Story, run: WorkflowRun, fault: JobFault, since: datetime) -> None:
    story.view.check(f"the {fault.step} failed", run.job_states.get(fault.step) == "FAILED")
    story.view.check("nothing of the file is in the table", story.rows() == 0)
    alert = story.await_alert("run-failed", since)
    story.view.quote(alert.text)
    story.view.check("people are told what failed, and when it is tried again", "number 1 of 3" in alert.text)


def _replay(story: Story, last: WorkflowRun, since: datetime) -> None:
    """What a person does who is called after the last retry."""
    alert = story.await_alert("manual-intervention", since)
    record, command = story.intervention(last), f"make replay RUN={last.run_id}"
    story.view.quote(alert.text)
    story.view.check("after three retries a human is called, and told what to type", command in alert.text)
    story.view.check("the record of it is open", record["resolved_at"] is None and record["attempts"] == 4)
    with story.view.step(command):
        story.run_script("scripts.replay", "--run", last.run_id)
    story.view.check("the record is resolved", story.intervention(last)["resolved_at"] is not None)


def _check_recovered(story: Story, run: WorkflowRun, fault: JobFault, since: datetime) -> None:
    view = story.view
    inserted = run.merge["counts"]["inserted"] if run.merge else 0
    view.check(f"all {PEOPLE} rows are in the table, once", inserted == story.rows() == PEOPLE)
    gates = story.machine.client("glue").get_job_runs(JobName=f"{story.workflow}-gate")["JobRuns"]
    expected = "twice" if fault.step == "gate" else "once"
    view.check(f"the gate worked {expected}", len(gates) == (2 if fault.step == "gate" else 1))
    alert = story.await_alert("recovered", since)
    view.quote(alert.text)
    kinds = {"run-failed", "recovered"} | ({"manual-intervention"} if fault.times > 1 else set())
    told = [mail.kind for mail in story.alerts(since)]
    view.check("people were told of each thing once", sorted(told) == sorted(kinds))
