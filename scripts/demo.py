"""The whole of Lakegate on this machine: `make demo`.

Terraform applies the stack to the offline AWS; files land, and nothing else is done to it: what happens
next is what was deployed.
"""

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts.athena_query import ask_athena
from scripts.demo_faults import JobFault, play_fault
from scripts.demo_view import View
from scripts.docs_mirror import sync_docs
from scripts.gameday.story import DATASET, NotSeen, Story
from scripts.offline_machine import STATE_DIR, Machine, start_machine
from scripts.runs import COUNTS, WorkflowRun, await_run, run_ids
from scripts.sample_data import ROW_FAULTS, Day, Fault, Recipe, Sample, make_sample
from scripts.stack_up import apply_with_progress, ends_in_order, say_how_to_reach
from scripts.terminal import open_console

_NAME_COLUMNS = {"first_name", "last_name"}


@dataclass(slots=True)
class Demo:
    """The machine, what Terraform put on it, and the runs so far by what was landed."""

    machine: Machine
    view: View
    outputs: dict[str, Any]
    runs: dict[str, WorkflowRun] = field(default_factory=dict)

    def land(self, title: str, content: bytes, batch_date: date) -> WorkflowRun:
        """Put one object into the raw zone and wait for the run that this causes."""
        workflow = self.outputs["workflows"][DATASET]
        known = run_ids(self.machine, workflow)
        key = f"{DATASET}/dt={batch_date}/{DATASET}.csv"
        with self.view.step(title) as update:
            s3 = self.machine.client("s3")
            s3.put_object(Bucket=self.outputs["buckets"]["raw"], Key=key, Body=content)
            update("landed; waiting for the event to start the workflow")
            run = await_run(self.machine, workflow, known, self.outputs["buckets"]["docs"], update)
        self.runs[title] = run
        self.view.say(f"landed as {key} in bucket {self.outputs['buckets']['raw']}")
        return run

    def ask(self, sql: str, role: str) -> Any:
        workgroup = {"analyst": "athena_workgroup", "steward": "athena_steward_workgroup"}[role]
        return ask_athena(self.machine, sql, self.outputs[workgroup], self.outputs[f"{role}_role_arn"])

    @property
    def story(self) -> Story:
        """The same machine, as a game day has it."""
        return Story(self.machine, self.outputs, self.view)


def play(demo: Demo) -> None:
    """The story, in order."""
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=ago) for ago in (2, 1, 0)]
    first = make_sample(Recipe(date=days[0]))
    second = make_sample(Recipe(date=days[1], day=Day.NEXT, faults=ROW_FAULTS))
    third = make_sample(Recipe(date=days[2], day=Day.NEXT, faults=(Fault.RENAMED_COLUMN,)))
    _first_day(demo, first, days[0])
    _day_with_faults(demo, first, second, days[1])
    _rejected_day(demo, third, days[2])
    _first_day_again(demo, first, second, days[0])
    _who_sees_what(demo)


def _play_fault(demo: Demo, fault: JobFault) -> None:
    try:
        demo.runs |= play_fault(demo.story, fault)
    except NotSeen as error:
        demo.view.check(str(error), False)


def _first_day(demo: Demo, sample: Sample, day: date) -> None:
    run, view = demo.land("first file", sample.content, day), demo.view
    view.check("the gate, the merge and the crawler ran, as the deployed triggers say", _ran_through(run))
    view.check("the gate let it pass", bool(run.gate) and run.gate["verdict"] == "passed")
    view.check(
        f"all {sample.report.rows} rows are in the table", _counts(run)["inserted"] == sample.report.rows
    )
    quarantined = demo.ask(f"SELECT count(*) FROM {demo.story.quarantine}", "steward")
    view.check("the quarantine is there, and empty", quarantined.rows == (("0",),))


def _day_with_faults(demo: Demo, first: Sample, sample: Sample, day: date) -> None:
    run, view, report = demo.land("next day, with faults", sample.content, day), demo.view, sample.report
    counts = _counts(run)
    rejected = [Fault.AGE_230, Fault.UNKNOWN_DEPARTMENT, Fault.NEGATIVE_SALARY]
    quarantined = demo.ask(
        f"SELECT line_number, kind, array_join(reasons, ', ') AS reasons FROM {demo.story.quarantine} "
        f"WHERE run_id = '{run.run_id}' ORDER BY line_number",
        "steward",
    )
    view.say("What the quarantine holds of it, for the data steward:")
    view.rows(quarantined.columns, quarantined.rows)
    expected_lines = sorted(report.planted_at(f).line_number for f in (*rejected, Fault.MISSING_COLUMN))
    found_lines = [int(row[0] or 0) for row in quarantined.rows]
    view.check("each bad row is in quarantine, with its line and its reasons", found_lines == expected_lines)
    view.check("... and none of them is in the table as it came", counts["quarantined"] == len(rejected))
    view.check("the row with a missing column was set aside, not shifted", counts["unparsable"] == 1)
    view.check("the duplicate is not doubled", counts["duplicates"] == 1 and _keys_are_unique(demo))
    changed = report.changed + 1  # and the salary that was planted
    view.check(f"{changed} changed salaries are updated", counts["updated"] == changed)
    planted = report.planted_at(Fault.CHANGED_SALARY)
    view.check("... the planted one among them", _salary_in_table(demo, planted) == planted.after)
    view.check(f"{report.hired} people hired are inserted", counts["inserted"] == report.hired)


def _rejected_day(demo: Demo, sample: Sample, day: date) -> None:
    before, view = demo.story.metadata(), demo.view
    alerts_before = set(demo.machine.alerts)
    run = demo.land("renamed column", sample.content, day)
    view.check("the batch is rejected whole", bool(run.gate) and run.gate["verdict"] == "rejected")
    view.check("the merge did not run", "merge" not in run.job_states)
    view.check("the table is untouched", demo.story.metadata() == before)
    alerts = [mail for mail in demo.machine.alerts if mail not in alerts_before]
    view.check("SNS sent one message", len(alerts) == 1)
    for alert in alerts:
        view.quote(alert.read_text())
    states = demo.machine.evaluate_alarms()
    alarm = next((name for name in states if name.endswith(f"-{DATASET}-batch-rejected")), "")
    view.check("CloudWatch's alarm about rejected batches went off, too", states.get(alarm) == "ALARM")


def _first_day_again(demo: Demo, first: Sample, second: Sample, day: date) -> None:
    view, before = demo.view, demo.runs["next day, with faults"].merge
    run = demo.land("first file again", first.content, day)
    counts = _counts(run)
    older = second.report.changed + 1
    view.check("nothing was inserted or updated", counts["inserted"] == counts["updated"] == 0)
    view.check(f"the {older} rows that the next day changed kept the newer value", counts["skipped"] == older)
    snapshots = [merge["snapshot_id"] for merge in (before, run.merge) if merge]
    view.check("the table's snapshot is the same", len(snapshots) == 2 and len(set(snapshots)) == 1)
    view.check("the run says that it changed nothing", bool(run.merge) and not run.merge["committed"])


def _who_sees_what(demo: Demo) -> None:
    view, table = demo.view, demo.story.table
    with view.step("an analyst and a data steward query the table in Athena"):
        analyst = demo.ask(f"SELECT * FROM {table} ORDER BY salary DESC LIMIT 3", "analyst")
        by_name = demo.ask(f"SELECT first_name FROM {table}", "analyst")
        quarantine = demo.ask(f"SELECT row_text FROM {demo.story.quarantine}", "analyst")
        steward_sql = f"SELECT first_name, last_name, age, department, salary FROM {table}"
        steward = demo.ask(f"{steward_sql} ORDER BY salary DESC LIMIT 3", "steward")
        report_sql = f"SELECT department, count(*) AS people, round(avg(salary)) AS mean_salary FROM {table}"
        by_department = demo.ask(f"{report_sql} GROUP BY department ORDER BY people DESC LIMIT 4", "analyst")
    view.say("The analyst, SELECT *:")
    shown = [i for i, name in enumerate(analyst.columns) if not name.startswith("_")]
    view.rows([analyst.columns[i] for i in shown], [[row[i] for i in shown] for row in analyst.rows])
    view.check(
        "shows no first and no last name", bool(analyst.rows) and not _NAME_COLUMNS & {*analyst.columns}
    )
    view.say("The analyst, the four largest departments:")
    view.rows(by_department.columns, by_department.rows)
    view.check("is answered", len(by_department.rows) == 4)
    view.say(f"The analyst, SELECT first_name: {by_name.refusal}")
    view.check("is refused", by_name.refusal is not None)
    view.check("... and so is the quarantine", quarantine.refusal is not None)
    view.say("The data steward:")
    view.rows(steward.columns, steward.rows)
    view.check("sees the names", all(row[0] and row[1] for row in steward.rows) and bool(steward.rows))


def _counts(run: WorkflowRun) -> dict[str, int]:
    """Of a run without a merge, counts that no check takes for right."""
    return dict(run.merge["counts"]) if run.merge else dict.fromkeys(COUNTS, -1)


def _ran_through(run: WorkflowRun) -> bool:
    return run.job_states == {"gate": "SUCCEEDED", "merge": "SUCCEEDED"} and run.crawler_state == "SUCCEEDED"


def _keys_are_unique(demo: Demo) -> bool:
    keys = "SELECT DISTINCT first_name, last_name, age FROM"
    table = demo.story.table
    sql = f"SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM ({keys} {table}))"
    rows = demo.ask(sql, "steward").rows
    return bool(rows) and rows[0][0] == rows[0][1]


def _salary_in_table(demo: Demo, planted: Any) -> str | None:
    person = planted.person
    first, last = (name.replace("'", "''") for name in (person.first_name, person.last_name))
    where = f"first_name = '{first}' AND last_name = '{last}' AND age = {person.age}"
    rows = demo.ask(f"SELECT salary FROM {demo.story.table} WHERE {where}", "steward").rows
    return rows[0][0] if len(rows) == 1 else None


def _check_conservation(demo: Demo) -> None:
    for title, run in demo.runs.items():
        counts = _counts(run)
        if run.merge:
            out = sum(counts.values()) - counts["read"]
            statement = f"{title}: {counts['read']} rows read, {out} accounted for"
            demo.view.check(statement, counts["read"] == out > 0)


def main(
    keep: Annotated[bool, typer.Option(help="Leave the offline AWS running afterwards.")] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the offline AWS; 0 takes a free one.")
    ] = 0,
    state_dir: Annotated[Path, typer.Option(help="Where the machine keeps its files.")] = STATE_DIR,
    fault: Annotated[
        JobFault | None, typer.Option(help="Play another story: a job is killed, and what becomes of it.")
    ] = None,
) -> None:
    """Run the demo; exits with 0 only if everything in it is as it should be."""
    view = View(open_console())
    with ends_in_order(view.console):
        _run(view, keep, port, state_dir, fault)
    if view.failed_checks:
        view.console.print(f"[bold red]{len(view.failed_checks)} of {view.checks} checks failed.[/]")
        raise typer.Exit(1)
    view.console.print(f"[bold green]All {view.checks} checks passed.[/]")


def _run(view: View, keep: bool, port: int, state_dir: Path, fault: JobFault | None) -> None:
    started = time.monotonic()
    server = "scripts.gameday.faulty_aws" if fault else "scripts.offline_aws"
    with start_machine(state_dir, port, server) as (machine, stay):
        view.say(f"The offline AWS answers at {machine.endpoint}")
        apply_with_progress(view, machine)
        demo = Demo(machine, view, machine.terraform().outputs())
        if fault:
            _play_fault(demo, fault)
        else:
            play(demo)
        with view.step("summary"):
            index = sync_docs(machine.client("s3"), demo.outputs["buckets"]["docs"], machine.docs_dir)
            _check_conservation(demo)
        _summarise(demo, time.monotonic() - started)
        view.console.print(f"Data Docs: {index.as_uri()}", soft_wrap=True)
        if keep:
            stay()
            say_how_to_reach(view.console, machine, demo.outputs["buckets"]["raw"])


def _summarise(demo: Demo, seconds: float) -> None:
    console = demo.view.console
    console.print()
    demo.view.runs(demo.runs)
    console.print()
    setup = os.environ.get("LAKEGATE_SETUP_SECONDS")
    more = {"all of the demo": seconds}
    if setup:
        more = {"setting up the environment, once": float(setup)} | more
    demo.view.times(more)
    console.print()


if __name__ == "__main__":
    typer.run(main)
