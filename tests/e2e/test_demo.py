"""The demo itself, once; what the machine that it leaves can be asked; its next commit, and its end."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import the_employee_contract, the_lineage_columns, the_quarantine_columns
from rich.console import Console

from etl.contract import OPEN_TO_ANALYSTS
from scripts.athena_query import Answer, ask_athena
from scripts.demo_view import View
from scripts.gameday.__main__ import play
from scripts.gameday.scenarios import SCENARIOS, Name
from scripts.gameday.story import Story
from scripts.offline_machine import Machine, find_machine, stop_machine
from scripts.package import CHECKED, CHECKOUT, build_artifacts
from scripts.runs import await_run, run_ids
from scripts.sample_data import Recipe, make_sample
from scripts.terraform import Terraform, TerraformFailed, read_outputs
from tests.e2e.conftest import processes_of
from tests.e2e.faked_history import FakedHistory
from tests.e2e.next_commit import NEW_DATASET, NEWLY_PRIVATE, changes_of, write_next_commit
from tests.e2e.remains import remains

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

# What a change of an existing resource makes anew, because it cannot be changed.
REPLACED = {
    "aws_athena_named_query": "the provider replaces them",
    "aws_lakeformation_resource_lf_tags": "the provider replaces them",
    "aws_lakeformation_permissions": "AWS knows grants and revocations only, and the revocation comes first",
    "aws_s3_object": "code lies under the hash of its content, and the new one comes first",
}
# What holds data, or what others know by its name: nothing in the next commit is a reason to touch it.
UNTOUCHED = {
    "aws_glue_catalog_database",
    "aws_glue_catalog_table",
    "aws_glue_crawler",
    "aws_glue_trigger",
    "aws_glue_workflow",
    "aws_iam_role",
    "aws_kms_key",
    "aws_s3_bucket",
    "aws_sns_topic",
    "aws_sqs_queue",
}
# The tables of run records: a dataset more is a partition more of each.
LISTS_DATASETS = "aws_glue_catalog_table.operations["
# By module, what the next commit is about, and what AWS can change in place.
CHANGED_IN_PLACE = {
    ("catalog", "aws_iam_role_policy"),
    ("handle_failure", "aws_lambda_function"),
    ("landing", "aws_scheduler_schedule"),
    ("operations", "aws_cloudwatch_metric_alarm"),
    ("quality_workflow", "aws_cloudwatch_log_group"),
    ("quality_workflow", "aws_glue_job"),
    ("query", "aws_athena_workgroup"),
    ("start_workflow", "aws_lambda_function"),
    ("storage", "aws_s3_object"),
}


@dataclass(frozen=True, slots=True)
class Kept:
    machine: Machine
    outputs: dict[str, Any]
    said: str
    exit_code: int


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """A demo that has run with --keep."""
    state_dir = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "scripts.demo", "--keep", "--state-dir", str(state_dir)]
    ended = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=400)
    machine = find_machine(state_dir)
    assert machine, ended.stdout + ended.stderr
    try:
        outputs = machine.terraform().outputs()
        yield Kept(machine, outputs, ended.stdout, ended.returncode)
    finally:
        stop_machine(machine)


def test_every_check_of_the_demo_holds(kept: Kept):
    """`make demo` ends with 0, and only when all that it checks is as it should be."""
    assert kept.exit_code == 0, kept.said
    assert "✗" not in kept.said
    assert "All 28 checks passed." in kept.said


def test_the_summary_says_where_things_are(kept: Kept):
    """The summary names the verdicts, the Data Docs, the endpoint and how to stop the machine."""
    for fact in (
        "passed with quarantine",
        "rejected",
        "Data Docs: file://",
        kept.machine.endpoint,
        "make down",
    ):
        assert fact in kept.said
    assert (kept.machine.docs_dir / "index.html").is_file()


def test_the_data_docs_can_be_fetched_again(kept: Kept):
    """`make docs` finds the machine, whatever AWS settings the user has, and says where the index is."""
    command = [sys.executable, "-m", "scripts.docs", "--no-serve", "--state-dir", str(kept.machine.state_dir)]
    environ = os.environ | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_PROFILE": "somebody"}
    done = subprocess.run(command, cwd=CHECKOUT, env=environ, capture_output=True, text=True, check=False)
    index = kept.machine.docs_dir / "index.html"

    assert (done.stdout.strip(), done.stderr, done.returncode) == (index.as_uri(), "", 0)
    assert "Passed with quarantine" in index.read_text()


def test_the_tables_can_be_maintained_at_once(kept: Kept):
    """`make maintain` runs the deployed job and tells what it did; what Athena answers stays the same."""
    command = [sys.executable, "-m", "scripts.maintain", "--state-dir", str(kept.machine.state_dir)]
    table = f"{kept.outputs['databases']['processed']}.employee"
    sql = f"SELECT count(*), sum(salary), count(DISTINCT _batch_id) FROM {table}"
    asking = (kept.machine, sql, kept.outputs["athena_workgroup"], kept.outputs["analyst_role_arn"])
    before = ask_athena(*asking)
    done, unknown = (
        subprocess.run([*command, *more], cwd=CHECKOUT, capture_output=True, text=True, check=False)
        for more in ((), ("--dataset", "employe"))
    )

    assert (done.returncode, unknown.returncode) == (0, 1), done.stdout + done.stderr
    assert "small" in done.stdout
    assert "There is no dataset employe here; there is employee." in unknown.stdout
    assert ask_athena(*asking) == before
    assert before.refusal is None


def test_the_status_is_told_at_once(kept: Kept):
    """`make status` tells freshness, runs and quarantine; its exit code says whether all is as promised."""
    command = [sys.executable, "-m", "scripts.status", "--state-dir", str(kept.machine.state_dir)]
    shown, told = (
        subprocess.run([*command, *more], cwd=CHECKOUT, capture_output=True, text=True, check=False)
        for more in ((), ("--json",))
    )
    status = json.loads(told.stdout)
    found = status["datasets"]["employee"]

    assert shown.returncode == told.returncode == (0 if status["is_as_promised"] else 1), told.stderr
    assert (found["freshness"]["is_fresh"], found["freshness"]["promised_hours"]) == (True, 24)
    assert [run["state"] for run in found["runs"]] == ["published", "rejected", "published", "published"]
    assert found["runs"][2]["rows_quarantined"] + found["runs"][2]["rows_unparsable"] == 4
    assert found["quarantined_rows"] == 4
    assert found["availability"]["target_percent"] == 99.9, "a probe has run since the stack was applied"
    for fact in ("fresh,", "4 rows", "passed with quarantine", "rejected"):
        assert fact in shown.stdout


def test_the_history_is_drawn(kept: Kept, tmp_path: Path):
    """`make history` shows each series in the terminal, and leaves a page with a chart of it."""
    page = tmp_path / "history.html"
    command = [sys.executable, "-m", "scripts.history", "--state-dir", str(kept.machine.state_dir)]
    done = subprocess.run(
        [*command, "--into", str(page)], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert page.as_uri() in done.stdout
    assert all(title in page.read_text() for title in ("Rows", "Set aside", "Gate", "Not fresh"))


def test_outputs_are_read_from_the_users_own_state(kept: Kept, monkeypatch: pytest.MonkeyPatch):
    """Of an environment that the user has initialised, Terraform tells what was made of it."""
    monkeypatch.setenv("TF_DATA_DIR", str(kept.machine.state_dir / "terraform-local"))

    assert read_outputs("local") == kept.outputs


def test_a_second_plan_is_empty(kept: Kept):
    """After the apply, and after jobs wrote to the tables, Terraform finds nothing to change."""
    assert not kept.machine.terraform().has_changes()


def test_every_zone_is_private_and_encrypted(kept: Kept):
    """No bucket can be opened to the public, each encrypts with KMS, and the docs are no website."""
    s3 = kept.machine.client("s3")
    for zone, bucket in kept.outputs["buckets"].items():
        shut = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        encryption = rule["ApplyServerSideEncryptionByDefault"]

        assert all(shut.values()), zone
        assert len(shut) == 4, zone
        assert encryption["SSEAlgorithm"] == "aws:kms", zone
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchWebsiteConfiguration"):
        s3.get_bucket_website(Bucket=kept.outputs["buckets"]["docs"])


def test_datasets_that_were_not_checked_are_not_deployed(kept: Kept):
    """Terraform takes the very files that were checked when the artifacts were built, and no others."""
    checked = kept.machine.state_dir / "artifacts" / CHECKED
    checksum = checked.read_text()
    checked.write_text("0" * 64 + "\n")
    try:
        with pytest.raises(TerraformFailed) as caught:
            kept.machine.terraform().has_changes()
    finally:
        checked.write_text(checksum)
    told = " ".join(str(caught.value).replace("│", " ").split())
    assert "The datasets are not those that were checked last." in told


def test_the_quarantine_is_for_the_steward_alone(kept: Kept):
    """A steward reads where each row came from; an analyst may not even count them, and no column is open."""
    table = f"{kept.outputs['databases']['quarantine']}.employee"
    origin = "dataset, batch_id, object_version, line_number, run_id, suite_fingerprint, row_text"
    sql = f"SELECT {origin}, cardinality(reasons) FROM {table}"
    steward, analyst = kept.outputs["steward_role_arn"], kept.outputs["analyst_role_arn"]
    rows = ask_athena(kept.machine, sql, kept.outputs["athena_steward_workgroup"], steward).rows
    assert {row[0] for row in rows} == {"employee"}
    assert all(None not in row for row in rows)
    for asked in ("count(*)", "dataset", "batch_id", "*"):
        sql = f"SELECT {asked} FROM {table}"
        answer = ask_athena(kept.machine, sql, kept.outputs["athena_workgroup"], analyst)
        assert answer.refusal is not None


def test_a_reader_of_some_rows_sees_no_others(kept: Kept):
    """Who may read one department sees the open columns of its rows, and nothing of any other."""
    database = kept.outputs["databases"]["processed"]
    table = f"{database}.employee"
    ((reader, given),) = kept.outputs["row_readers"].items()
    assert reader == "employee-engineering"
    steward = (kept.outputs["athena_steward_workgroup"], kept.outputs["steward_role_arn"])
    own = (given["workgroup"], given["role_arn"])
    everybody = dict(
        ask_athena(kept.machine, f"SELECT department, count(*) FROM {table} GROUP BY 1", *steward).rows
    )
    seen = ask_athena(kept.machine, f"SELECT * FROM {table}", *own)

    assert len(everybody) > 1
    assert {row[seen.columns.index("department")] for row in seen.rows} == {"Engineering"}
    assert len(seen.rows) == int(everybody["Engineering"] or 0)
    assert set(seen.columns) == open_columns()
    for hidden in (f"SELECT first_name FROM {table}", f'SELECT * FROM {database}."employee$files"'):
        assert ask_athena(kept.machine, hidden, *own).refusal is not None
    quarantine = f"SELECT * FROM {kept.outputs['databases']['quarantine']}.employee_by_reason"
    assert ask_athena(kept.machine, quarantine, *own).refusal is not None


def test_every_column_is_tagged_as_its_contract_says(kept: Kept):
    """In the catalog each column has its classification; one that nobody classified, its database's."""
    lake, databases = kept.machine.client("lakeformation"), kept.outputs["databases"]
    key = "lakegate-local-classification"

    def tags(kind: str, resource: dict[str, Any]) -> Any:
        return lake.get_resource_lf_tags(Resource=resource, ShowAssignedLFTags=True).get(kind, [])

    for zone, declared in {
        "processed": (*the_employee_contract().columns, *the_lineage_columns()),
        "quarantine": the_quarantine_columns(),
    }.items():
        names = [column.name for column in declared]
        table = {"DatabaseName": databases[zone], "Name": "employee", "ColumnNames": names}
        found = tags("LFTagsOnColumns", {"TableWithColumns": table})
        assert {(c["Name"], tag["TagKey"], *tag["TagValues"]) for c in found for tag in c["LFTags"]} == {
            (column.name, key, str(column.classification)) for column in declared if column.classification
        }
    of_databases = {"raw": "pii", "processed": "unclassified", "quarantine": "pii", "operations": "internal"}
    for zone, value in of_databases.items():
        (tag,) = tags("LFTagOnDatabase", {"Database": {"Name": databases[zone]}})
        assert (tag["TagKey"], tag["TagValues"]) == (key, [value])


def test_every_named_query_answers_whom_it_is_for(kept: Kept):
    """The queries that dashboards begin with run as they are, as the role of their workgroup."""
    athena, asked = kept.machine.client("athena"), []
    for workgroup, role in (
        (kept.outputs["athena_workgroup"], kept.outputs["analyst_role_arn"]),
        (kept.outputs["athena_steward_workgroup"], kept.outputs["steward_role_arn"]),
    ):
        for query_id in athena.list_named_queries(WorkGroup=workgroup)["NamedQueryIds"]:
            query = athena.get_named_query(NamedQueryId=query_id)["NamedQuery"]
            answer = ask_athena(kept.machine, query["QueryString"], workgroup, role, query["Database"])
            assert answer.refusal is None, query["Name"]
            assert answer.rows, query["Name"]
            asked.append(query["Name"])
    assert {
        "employee: freshness",
        "employee: newest rows",
        "employee: quarantine by reason",
        "employee: rows by department",
        "employee: rows by job_title",
        "employee: rows per batch date",
    } <= set(asked)


def test_a_failed_run_recovers_by_itself(kept: Kept):
    """A merge whose table cannot be read is told of and, once it can be, resumed by what was deployed, at the
    merge; people hear of its end. To replay it then changes nothing."""
    before, workflow = set(kept.machine.alerts), kept.outputs["workflows"]["employee"]
    docs, known = kept.outputs["buckets"]["docs"], run_ids(kept.machine, workflow)
    with lost_metadata(kept):
        day = datetime.now(UTC).date() - timedelta(days=5)
        content, key = make_sample(Recipe(date=day)).content, f"employee/dt={day}/employee.csv"
        kept.machine.client("s3").put_object(Bucket=kept.outputs["buckets"]["raw"], Key=key, Body=content)
        failed = await_run(kept.machine, workflow, known, docs)
    resumed = await_run(kept.machine, workflow, known | {failed.run_id}, docs)
    mails = _await(lambda: told if len(told := set(kept.machine.alerts) - before) > 1 else None)
    command = [sys.executable, "-m", "scripts.replay", "--run", failed.run_id]
    command += ["--state-dir", str(kept.machine.state_dir)]
    replay = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert failed.job_states == {"gate": "SUCCEEDED", "merge": "FAILED"}
    assert resumed.job_states == {"merge": "SUCCEEDED"}
    assert [re.findall(r"runbooks/([a-z-]+)\.md", mail.read_text())[0] for mail in sorted(mails)] == [
        "run-failed",
        "recovered",
    ]
    assert replay.returncode == 0, replay.stdout
    assert f"{resumed.run_id} has published its batch. Nothing was done." in replay.stdout


@contextmanager
def lost_metadata(kept: Kept) -> Iterator[None]:
    """The table's pointer names a file that is not there, for a while."""
    glue, database = kept.machine.client("glue"), kept.outputs["databases"]["processed"]
    table = glue.get_table(DatabaseName=database, Name="employee")["Table"]
    kept_fields = {name: table[name] for name in ("Name", "TableType", "StorageDescriptor", "Parameters")}
    location = table["Parameters"]["metadata_location"]
    for pointer in (f"{location}.gone", location):
        parameters = table["Parameters"] | {"metadata_location": pointer}
        glue.update_table(DatabaseName=database, TableInput=kept_fields | {"Parameters": parameters})
        if pointer != location:
            yield


def open_columns() -> set[str]:
    columns = (*the_employee_contract().columns, *the_lineage_columns())
    return {column.name for column in columns if column.classification in OPEN_TO_ANALYSTS}


def test_a_crashed_job_reaches_people(kept: Kept):
    """A merge that somebody started by hand, and that fails, makes one e-mail with the job and the error."""
    before = set(kept.machine.alerts)
    glue = kept.machine.client("glue")
    glue.start_job_run(
        JobName="lakegate-local-employee-merge",
        Arguments={
            "--WORKFLOW_NAME": kept.outputs["workflows"]["employee"],
            "--WORKFLOW_RUN_ID": "wr_unknown",
        },
    )
    mails = _await(lambda: set(kept.machine.alerts) - before)
    assert len(mails) == 1
    text = mails.pop().read_text()
    assert "the merge job ended as FAILED" in text
    assert "EntityNotFoundException" in text
    assert "It was started by hand" in text


def test_a_failed_crawl_reaches_people(kept: Kept):
    """A crawler that fails makes one e-mail, a warning that names it and how to start it again."""
    before = set(kept.machine.alerts)
    glue, name = kept.machine.client("glue"), "lakegate-local-employee-raw"
    role = glue.get_crawler(Name=name)["Crawler"]["Role"]
    glue.update_crawler(Name=name, Role="nobody")
    glue.start_crawler(Name=name)
    mails = _await(lambda: set(kept.machine.alerts) - before)
    glue.update_crawler(Name=name, Role=role)
    assert len(mails) == 1
    text = mails.pop().read_text()
    assert "[Lakegate warning] employee: the crawler of the raw zone failed" in text
    assert f"aws glue start-crawler --name {name}" in text


def test_a_replay_of_a_landing_changes_nothing(kept: Kept):
    """A landing played again from the archive starts a run that finds its batch there and commits nothing."""
    workflow, docs = kept.outputs["workflows"]["employee"], kept.outputs["buckets"]["docs"]
    events = kept.machine.client("events")
    known = run_ids(kept.machine, workflow)
    first = min(
        datetime.fromisoformat(run["WorkflowRunProperties"]["landed_at"])
        for run in kept.machine.client("glue").get_workflow_runs(Name=workflow)["Runs"]
        if "landed_at" in run["WorkflowRunProperties"]
    )
    events.start_replay(
        ReplayName="the-first-landing",
        EventSourceArn=events.describe_archive(ArchiveName="lakegate-local-landings")["ArchiveArn"],
        EventStartTime=first,
        EventEndTime=first,
        Destination={
            "Arn": events.describe_event_bus()["Arn"],
            "FilterArns": [events.describe_rule(Name="lakegate-local-object-created")["Arn"]],
        },
    )
    run = await_run(kept.machine, workflow, known, docs)
    assert run.merge is not None
    assert run.merge["already_committed"]
    assert not run.merge["committed"]
    assert run.merge["counts"]["skipped"] == run.merge["counts"]["read"] == 1034


def test_the_nightly_schedule_picks_up_a_file_without_an_event(kept: Kept):
    """The nightly run starts the workflow for a file whose event was lost, and for no other."""
    workflow, docs = kept.outputs["workflows"]["employee"], kept.outputs["buckets"]["docs"]
    events, today = kept.machine.client("events"), datetime.now(UTC).date()
    assert _nightly(kept) == []
    events.disable_rule(Name="lakegate-local-object-created")
    kept.machine.client("s3").put_object(
        Bucket=kept.outputs["buckets"]["raw"],
        Key=f"employee/dt={today}/employee.csv",
        Body=make_sample(Recipe(date=today)).content,
    )
    events.enable_rule(Name="lakegate-local-object-created")
    known = run_ids(kept.machine, workflow)
    started = _nightly(kept)
    run = await_run(kept.machine, workflow, known, docs)
    assert started == [run.run_id]
    assert run.properties["trigger"] == "nightly"
    assert run.merge is not None
    assert _nightly(kept) == []


def test_no_name_leaves_the_zones_that_may_hold_it(kept: Kept):
    """No last name of the sample that is long enough to be no other word stands in docs, mails or logs."""
    table = f"{kept.outputs['databases']['processed']}.employee"
    sql = f"SELECT DISTINCT last_name FROM {table} WHERE length(last_name) > 7"
    answer = ask_athena(kept.machine, sql, kept.outputs["athena_workgroup"], kept.outputs["steward_role_arn"])
    names = [row[0] for row in answer.rows if row[0]]
    assert len(names) > 50
    for place, text in _published(kept):
        assert not [name for name in names if name in text], place


def test_the_dashboard_draws_every_dataset(kept: Kept):
    """Nothing overlaps on its grid, and what people look for is there."""
    body = kept.machine.client("cloudwatch").get_dashboard(DashboardName="lakegate-local")["DashboardBody"]
    widgets = json.loads(body)["widgets"]
    cells = [
        (x, y)
        for w in widgets
        for x in range(w["x"], w["x"] + w["width"])
        for y in range(w["y"], w["y"] + w["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    titles = {w["properties"].get("title", "") for w in widgets}
    assert {"Error budget left of 30 days, %", "Rows", "Errors in the logs", "Messages given up"} <= titles


def test_a_scenario_of_the_game_day_ends_as_documented(kept: Kept):
    """`make gameday` can be played: of its scenarios the cheapest, a file that never lands."""
    story = Story(kept.machine, kept.outputs, View(Console(quiet=True)))
    known, today = story.known_runs(), datetime.now(UTC).date()
    # The demo ends with a rejected file; after one that is published, nothing is wrong but what is missing.
    story.put("raw", f"employee/dt={today}/employee.csv", make_sample(Recipe(date=today)).content)
    story.await_run(known, lambda _: None)
    episode = play(Name.FILE_MISSING, SCENARIOS[Name.FILE_MISSING], story)
    assert episode.is_as_documented, (episode.failed, episode.error)
    assert episode.alerted


def test_each_alarm_goes_off_tells_people_and_ends(kept: Kept):
    """Of a faked history, each deployed alarm makes a mail with its runbook, and another when it is over."""
    history = FakedHistory(kept.machine)
    assert len(history.telling) > 12
    assert set(history.states_after(good=True).values()) == {"OK"}
    known = set(kept.machine.mails)
    assert set(history.states_after(good=False).values()) == {"ALARM"}
    off, known = _alarms_in(set(kept.machine.mails) - known, "ALARM"), set(kept.machine.mails)
    assert off == history.telling
    assert set(history.states_after(good=True).values()) == {"OK"}
    over = _alarms_in(set(kept.machine.mails) - known, "OK")
    assert over == history.telling - history.events


def test_one_stale_measurement_is_a_page_for_minutes_and_a_ticket_for_hours(kept: Kept):
    """With 99.9 % promised it burns the budget fast in all three windows, which end at different times."""
    history, page, ticket = FakedHistory(kept.machine), "not-as-promised", "error-budget"

    def on(states: dict[str, str]) -> set[str]:
        return {k for k in (page, ticket) if states[f"lakegate-local-employee-{k}"] == "ALARM"}

    history.states_after(good=True)
    assert on(history.after(timedelta(days=1))) == set()
    assert on(history.once_stale()) == {page, ticket}
    assert on(history.after(timedelta(minutes=35))) == {ticket}
    assert on(history.after(timedelta(minutes=90))) == set()


@dataclass(frozen=True, slots=True)
class Changed:
    """The stack as the next commit has it; `before` is what an analyst got of the table until then."""

    terraform: Terraform
    plan: dict[str, Any]
    before: Answer


# From here on the tests are about another stack than the demo's, and in the end about none.
@pytest.fixture(scope="module")
def changed(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changed]:
    """The next commit, applied over the data of the demo in one go."""
    folder = tmp_path_factory.mktemp("next-commit")
    checkout = write_next_commit(folder / "checkout")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scripts.package.CHECKOUT", checkout)
        patch.setattr("scripts.package.EXPECTATIONS", checkout / "expectations")
        patch.setattr("scripts.terraform.CHECKOUT", checkout)
        build_artifacts(folder / "artifacts")
        variables = {"artifacts_dir": str(folder / "artifacts")}
        terraform = Terraform("local", folder, variables, {"AWS_ENDPOINT_URL": kept.machine.endpoint})
        terraform.init(f"path={kept.machine.state_dir / 'terraform.tfstate'}")
        plan = terraform.plan(lambda _: None)
        told = json.loads(terraform.show(plan, "-json"))
        before = _ask_as_analyst(kept, "*")
        terraform.apply_plan(plan, lambda _: None)
        yield Changed(terraform, told, before)


def test_what_can_be_changed_in_place_is(changed: Changed):
    """A value changed in each module replaces no table, bucket, key, queue or job, and drops nothing."""
    changes = [*changes_of(changed.plan)]
    replaced = {kind for _, kind, actions in changes if {"create", "delete"} <= {*actions}}
    deleted = {address for address, _, actions in changes if actions == ("delete",)}
    deleted = {address for address in deleted if NEWLY_PRIVATE not in address}  # a query that shows it
    touched = {
        address
        for address, kind, actions in changes
        if kind in UNTOUCHED and actions != ("create",) and LISTS_DATASETS not in address
    }
    modules = {
        (address.rpartition("module.")[2].partition(".")[0], kind)
        for address, kind, actions in changes
        if actions == ("update",)
    }

    assert replaced <= set(REPLACED)
    assert (deleted, touched) == (set(), set())
    assert modules >= CHANGED_IN_PLACE


def test_a_folder_more_is_a_dataset_more(changed: Changed):
    """Whatever the first dataset has, the second has too."""
    addresses = {
        change["address"]
        for change in changed.plan["resource_changes"]
        if change["change"]["actions"] != ["delete"]
    }
    of_the_first = {address for address in addresses if re.search(r"\bemployee\b", address)}
    assert len(of_the_first) > 20
    assert {re.sub(r"\bemployee\b", NEW_DATASET, address) for address in of_the_first} <= addresses


def test_a_column_that_became_private_is_seen_no_more(kept: Kept, changed: Changed):
    """Once a contract that calls a column PII is applied, an analyst gets it no more, and a steward does."""
    star, asked = (_ask_as_analyst(kept, what) for what in ("*", NEWLY_PRIVATE))
    sql = f"SELECT {NEWLY_PRIVATE} FROM {kept.outputs['databases']['processed']}.employee LIMIT 1"
    steward = kept.outputs["athena_steward_workgroup"], kept.outputs["steward_role_arn"]

    assert set(changed.before.columns) - set(star.columns) == {NEWLY_PRIVATE}
    assert star.rows
    assert asked.refusal is not None
    assert ask_athena(kept.machine, sql, *steward).rows


def test_after_the_change_a_plan_is_empty(changed: Changed):
    """What the apply of a change left behind is what the sources say."""
    assert not changed.terraform.has_changes()


def test_a_destroy_leaves_nothing(kept: Kept, changed: Changed):
    """Of every type that Terraform made, nothing is left in the account, full buckets included."""
    types = {change["type"] for change in changed.plan["resource_changes"] if change["mode"] == "managed"}
    made = remains(kept.machine.client, types)
    changed.terraform.destroy(lambda _: None)

    assert all(made.values()), "what is looked for was there before"
    assert {kind: left for kind, left in remains(kept.machine.client, types).items() if left} == {}


def test_stopping_the_machine_leaves_no_process(kept: Kept):
    """`make down` ends the server and all that it started."""
    stop_machine(kept.machine)
    _await(lambda: not processes_of(kept.machine.state_dir))
    assert find_machine(kept.machine.state_dir) is None


def _ask_as_analyst(kept: Kept, what: str) -> Answer:
    sql = f"SELECT {what} FROM {kept.outputs['databases']['processed']}.employee LIMIT 1"
    return ask_athena(kept.machine, sql, kept.outputs["athena_workgroup"], kept.outputs["analyst_role_arn"])


def _nightly(kept: Kept) -> list[str]:
    answer = kept.machine.client("lambda").invoke(
        FunctionName=kept.outputs["lambda_functions"]["start-workflow"],
        Payload=json.dumps({"dataset": "employee", "trigger": "nightly"}),
    )
    return json.loads(answer["Payload"].read())["started"]


def _published(kept: Kept) -> Iterator[tuple[str, str]]:
    s3 = kept.machine.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=kept.outputs["buckets"]["docs"]):
        for entry in page.get("Contents", []):
            body = s3.get_object(Bucket=kept.outputs["buckets"]["docs"], Key=entry["Key"])["Body"].read()
            yield entry["Key"], body.decode(errors="replace")
    for folder in ("logs", "outbox"):
        for path in (kept.machine.state_dir / folder).iterdir():
            yield str(path), path.read_text(errors="replace")


def _alarms_in(mails: set[Path], state: str) -> set[str]:
    """Names of the alarms that said by mail that they are in this state; each mail names its runbook."""
    texts = [mail.read_text() for mail in mails]
    assert [text for text in texts if "Runbook: docs/runbooks/" not in text] == []
    subject = re.compile(rf'^Subject: {state}: "(.+)" in ', re.MULTILINE)
    return {name for text in texts for name in subject.findall(text)}


def _await(condition: Any, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return value
