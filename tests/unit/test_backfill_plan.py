"""Backfills: which dates are meant, what is left of them, and in what order it is done."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import typer
from builders import NOON, TODAY, a_batch
from typer.testing import CliRunner

from etl.batch import Batch
from etl.errors import ArgumentsInvalid
from etl.operations.attended import AttendedRun, State
from etl.operations.backfill import Day, choose_dates, order_files, run_days
from scripts import backfill, quarantine, replay

FIRST = date(2026, 11, 1)


def invoke(program: object, *arguments: str, folder: Path) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(program.main)
    answer = CliRunner().invoke(app, [*arguments, "--state-dir", str(folder)])
    return answer.exit_code, answer.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--date", "2026-02-30"], "2026-02-30 is no date of the calendar"),
        (["--date", "2199-01-01"], "2199-01-01 lies in the future"),
        (["--from", "2026-11-05", "--to", "2026-11-01"], "FROM=2026-11-05 lies after TO=2026-11-01"),
        (["--date", "2026-11-01", "--to", "2026-11-02"], "give the one or the other"),
        (["--from", "2026-11-01"], "say which dates"),
        ([], "say which dates"),
        (["--date", "2026-11-01"], "No offline AWS is running here. `make up` starts one."),
    ],
)
def test_a_backfill_that_cannot_begin_says_so_in_a_line(arguments: list[str], told: str, tmp_path: Path):
    """What cannot be meant, and a machine that is not up, are one line and exit code 2."""
    code, output = invoke(backfill, *arguments, folder=tmp_path)

    assert code == 2
    assert told in output
    assert len(output.splitlines()) == 1


@pytest.mark.parametrize(
    ("program", "arguments", "told"),
    [
        (quarantine, ["--date", "yesterday"], "yesterday is no date of the calendar"),
        (quarantine, [], "No offline AWS is running here"),
        (replay, ["--quarantine", "employee"], "employee is no batch id; make quarantine lists them"),
        (replay, ["--quarantine", f"employee-2026-02-30-{'0' * 16}"], "is no batch id"),
        (replay, ["--quarantine", f"employee-2026-11-01-{'0' * 16}"], "No offline AWS is running here"),
    ],
)
def test_a_replay_that_cannot_begin_says_so_in_a_line(
    program: object, arguments: list[str], told: str, tmp_path: Path
):
    """Bad input of quarantine and replay is one line and exit code 2."""
    code, output = invoke(program, *arguments, folder=tmp_path)

    assert (code, len(output.splitlines())) == (2, 1)
    assert told in output


def test_a_range_has_all_of_its_dates_newest_first():
    """Of a key that several dates bring, the newest row comes first and stays."""
    assert choose_dates(None, "2026-10-31", "2026-11-02", TODAY) == [
        date(2026, 11, 2),
        date(2026, 11, 1),
        date(2026, 10, 31),
    ]
    assert choose_dates(str(TODAY), None, None, TODAY) == [TODAY]
    with pytest.raises(ArgumentsInvalid, match="future"):
        choose_dates(str(TODAY + timedelta(days=1)), None, None, TODAY)


def test_of_a_date_the_file_that_landed_last_goes_first():
    """Nothing is overwritten, so the newest of a date has to come before the others."""
    early, late = a_batch(), a_batch(version_id="v2", landed_at=NOON + timedelta(hours=1))

    assert order_files([early, late]) == [late, early]


@dataclass
class Workflow:
    """Runs that end after being looked at twice, as `ends` says; it takes `most` at a time."""

    ends: dict[str, State] = field(default_factory=dict)
    most: int = 10
    kept: dict[str, AttendedRun] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    looks: dict[str, int] = field(default_factory=dict)
    busiest: int = 0

    def start(self, batch: Batch) -> AttendedRun | None:
        active = [run for run in self.looks if self.looks[run] < 2]
        if len(active) >= self.most:
            return None
        run = AttendedRun.of(batch, f"wr_{len(self.started)}", "2026-11-24T12:00:00+00:00")
        self.started.append(batch.batch_id)
        self.looks[run.run_id] = 0
        self.busiest = max(self.busiest, len(active) + 1)
        return run

    def look_at(self, run: AttendedRun) -> AttendedRun:
        self.looks[run.run_id] += 1
        is_over = self.looks[run.run_id] >= 2
        return replace(run, state=self.ends.get(run.batch_id, State.DONE)) if is_over else run

    def keep(self, run: AttendedRun) -> None:
        self.kept[run.batch_id] = run


def days(count: int, files: int = 1) -> list[Day]:
    return [
        Day(on, [a_batch(on, f"v{number}") for number in range(files)])
        for on in (FIRST - timedelta(days=ago) for ago in range(count))
    ]


def finish(todo: list[Day], workflow: Workflow, most: int = 1) -> list[tuple[date, State]]:
    done = run_days(todo, workflow, most, lambda: None)
    return [(day.date, run.state) for day, run in done if run.state is not State.RUNNING]


def test_dates_go_one_after_the_other_unless_more_are_asked_for():
    """As many at a time as were asked for, in their order; a date's files never at once."""
    workflow, todo = Workflow(), days(3, files=2)
    assert [on for on, _ in finish(todo, workflow)] == [day.date for day in todo for _ in range(2)]
    assert workflow.started == [batch.batch_id for day in todo for batch in day.batches]
    assert workflow.busiest == 1

    wide = Workflow()
    finish(days(5), wide, most=3)
    assert wide.busiest == 3


def test_a_full_workflow_is_waited_for():
    """What Glue does not take now is started when it does, and nothing is left out."""
    workflow = Workflow(most=2)

    assert len(finish(days(5), workflow, most=4)) == 5
    assert workflow.busiest == 2


def test_a_bad_date_does_not_stop_the_others():
    """A rejected date and one that failed are told as such, and the rest is done."""
    todo = days(3)
    ends = {todo[0].batches[0].batch_id: State.REJECTED, todo[1].batches[0].batch_id: State.FAILED}
    told = finish(todo, Workflow(ends))

    assert [state for _, state in told] == [State.REJECTED, State.FAILED, State.DONE]
    assert [day.is_good for day in todo] == [False, False, True]


def again(todo: list[Day], workflow: Workflow, *, force: bool = False) -> list[Day]:
    """The same days, as another backfill finds them."""
    return [Day(day.date, day.batches, dict(workflow.kept), is_again=force) for day in todo]


def test_what_is_done_is_not_done_again():
    """A second backfill does what is not done alone; with force it does everything."""
    todo = days(3)
    workflow = Workflow({todo[1].batches[0].batch_id: State.REJECTED})
    finish(todo, workflow)
    second = again(todo, workflow)

    assert [bool(day.left) for day in second] == [False, True, False]
    finish(second, workflow)
    assert workflow.started[3:] == [todo[1].batches[0].batch_id]
    finish(again(todo, workflow, force=True), workflow)
    assert len(workflow.started) == 3 + 1 + 3


def test_an_interrupted_backfill_goes_on_where_it_was():
    """A run that is under way is waited for, and not started again; so is one that has ended meanwhile."""
    todo, workflow = days(3), Workflow()
    interrupted = run_days(todo, workflow, 2, lambda: None)
    next(interrupted), next(interrupted)
    interrupted.close()
    assert [run.state for run in workflow.kept.values()] == [State.RUNNING] * 2

    assert len(finish(again(todo, workflow), workflow)) == 3
    assert len(workflow.started) == 3


def test_a_failed_run_that_its_retries_completed_is_taken_as_it_is():
    """A run that ended well after it was last looked at needs no other one."""
    todo, workflow = days(1), Workflow()
    finish(todo, workflow)
    batch_id = todo[0].batches[0].batch_id
    workflow.kept[batch_id] = replace(workflow.kept[batch_id], state=State.FAILED)

    assert finish(again(todo, workflow), workflow) == [(FIRST, State.DONE)]
    assert len(workflow.started) == 1


GATE = {"docs_key": "p", "rows_read": 10, "rows_quarantined": 2, "rows_unparsable": 1, "reason": None}
COUNTS = {"read": 10, "unchanged": 1, "skipped": 4, "inserted": 2, "updated": 0}
COUNTS |= {"quarantined": 2, "unparsable": 1}
MERGE = {"counts": COUNTS, "conflicts": 3, "released": 1, "already_committed": False}


@pytest.mark.parametrize(
    ("verdict", "merge", "is_over", "state", "why"),
    [
        (None, None, False, State.RUNNING, None),
        (None, None, True, State.FAILED, "the gate job ended without a report"),
        ("rejected", None, False, State.REJECTED, "too short"),
        ("error", None, False, State.FAILED, "no suite"),
        ("passed", None, False, State.RUNNING, None),
        ("passed", None, True, State.FAILED, "the merge job ended without a report"),
        ("passed", MERGE, False, State.DONE, None),
    ],
)
def test_what_became_of_a_run_is_read_from_its_reports(
    verdict: str | None, merge: dict | None, is_over: bool, state: State, why: str | None
):
    """The merge's report is the end; a verdict against the batch is; so is a workflow that left neither."""
    problems = ["no suite"] if verdict == "error" else []
    reason = {"rejected": "too short"}.get(verdict or "")
    gate = GATE | {"verdict": verdict, "reason": reason, "problems": problems} if verdict else None
    run = AttendedRun.of(a_batch(), "wr_1", "now").after(gate, merge, is_over, 7)

    assert (run.state, run.why) == (state, why)
    assert AttendedRun.from_json(run.to_json()) == run
    if merge:
        assert (run.inserted, run.already_there, run.conflicts, run.quarantined) == (2, 2, 3, 3)


def test_batch_ids_of_the_records_are_those_of_the_files():
    """A file that landed since is not done, though its date has been."""
    todo, workflow = days(1), Workflow()
    finish(todo, workflow)
    newer = Day(FIRST, [a_batch(FIRST, "newer")], dict(workflow.kept))

    assert [batch.version_id for batch in newer.left] == ["newer"]
