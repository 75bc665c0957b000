"""No name leaves the lake: canaries go in, in every way there is, and are looked for everywhere else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.aws.catalog import open_catalog
from etl.contract import load_contract
from scripts.offline_machine import REGION, start_machine
from scripts.package import CHECKOUT
from tests.e2e.canary_files import CanaryFiles
from tests.e2e.canary_places import (
    Place,
    all_entries,
    all_places,
    bucket_places,
    file_places,
    recorded_places,
    table_places,
)
from tests.e2e.canary_search import STEM, STEMS, Canaries, find_canaries, unpacked
from tests.e2e.canary_story import DATASET, Story
from tests.e2e.permissions import Act, Recording, Statement, is_like
from tests.e2e.unrecorded import has_reason

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PREFIX = "lakegate-local-"
VERDICTS = {
    "of every kind": "passed_with_quarantine",
    "with quotes": "passed_with_quarantine",
    "redelivered": "passed_with_quarantine",
    "backfill": "passed_with_quarantine",
    "backfill at once": "passed_with_quarantine",
    "replayed": "passed_with_quarantine",
    "too short": "rejected",
    "too bad": "rejected",
    "wrong encoding": "rejected",
    "NUL": "rejected",
    "unclosed quote": "rejected",
    "no header": "rejected",
    "renamed header": "rejected",
    "broken gzip": "rejected",
    "loud check": "error",
    "showing check": "error",
}
CRASHES = {
    "merge of values that do not fit": "ManifestInvalid",
    "merge of no Parquet": "RunFailed",
    "merge of altered rows": "ManifestInvalid",
    "gate that cannot quarantine": "RunFailed",
    "merge without its table": "RunFailed",
    "gate without its table": "RunFailed",
    "maintain without its table": "RunFailed",
}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("record") / "requests.jsonl"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, record: Path) -> Iterator[Story]:
    """The stack, with all of the story played on it."""
    text = (CHECKOUT / "expectations" / DATASET / "contract.yaml").read_text()
    canaries = Canaries()
    files = CanaryFiles(canaries, load_contract(text, "contract.yaml"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECORD", str(record))
        with start_machine(tmp_path_factory.mktemp("canary"), server="tests.e2e.recorded_aws") as (
            machine,
            _,
        ):
            machine.apply_stack(lambda _: None)
            story = Story(machine, machine.terraform().outputs(), canaries, files)
            story.play()
            patch.setenv("AWS_ACCESS_KEY_ID", "offline")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "offline")
            patch.setenv("AWS_DEFAULT_REGION", REGION)
            patch.setenv("AWS_ENDPOINT_URL", machine.endpoint)
            yield story


def test_every_case_took_its_course(story: Story):
    """The search means something only if each file was judged, and each job crashed, as it was meant to."""
    assert {case: run.gate and run.gate["verdict"] for case, run in story.runs.items()} == VERDICTS
    assert {case: message.partition(":")[0] for case, message in story.crashes.items()} == CRASHES
    counts = {case: run.merge["counts"] for case, run in story.runs.items() if run.merge}
    assert counts["of every kind"]["duplicates"] == 2
    assert min(counts["of every kind"][name] for name in ("inserted", "quarantined", "unparsable"))
    assert min(counts["with quotes"][name] for name in ("inserted", "updated", "unparsable"))
    assert story.runs["redelivered"].merge["already_committed"]
    backfill, kinds, quotes = (
        story.runs[case].merge for case in ("backfill", "of every kind", "with quotes")
    )
    assert backfill["conflicts"] == len(backfill["conflict_keys"]) > 0
    assert (kinds["collisions"], quotes["splits"]) == (1, 1)
    told = [mail for mail in story.alerts if "of its keys may not name one each" in mail]
    assert len(told) == 3, (
        "two files and a replay have collisions, and the split is one birthday of many rows"
    )
    assert [table["after"]["rows"] > 0 for table in story.maintained["tables"]] == [True, True]
    assert [bool(answer.rows) for answer in story.answers] == [True, False, False]


def test_backfills_at_once_and_a_replay_double_and_overwrite_nothing(story: Story):
    """Of two backfills at once one is told that it came second; a replay merges what passes now."""
    first, second, replayed = (story.runs[case] for case in ("backfill", "backfill at once", "replayed"))
    before = story.runs["of every kind"].merge["counts"]
    counts = replayed.merge["counts"]
    assert first.properties["merge_mode"] == second.properties["merge_mode"] == "insert_only"
    assert (first.merge["already_committed"], second.merge["already_committed"]) == (False, True)
    assert first.merge["counts"]["updated"] == second.merge["counts"]["inserted"] == 0
    assert replayed.properties["trigger"] == "replay"
    assert replayed.merge["released"] == before["quarantined"] - counts["quarantined"] > 0
    assert counts["inserted"] > 0
    assert len(story.told) == 4
    for told in story.told:
        assert not [*find_canaries("terminal", told.encode())]


def test_a_steward_finds_the_rows_by_their_hashes(story: Story):
    """The command that shows what a report lists names the canaries themselves, on the terminal alone."""
    told = {}
    for case in ("of every kind", "with quotes", "backfill"):
        command = [sys.executable, "-m", "scripts.find_keys", story.runs[case].run_id]
        command += ["--state-dir", str(story.machine.state_dir)]
        done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
        told[case] = [line for line in done.stdout.splitlines() if STEM in line]
    assert [len(told[case]) for case in ("of every kind", "with quotes")] == [1, 1], told
    assert "collision" in told["of every kind"][0]
    assert "suspected split" in told["with quotes"][0]
    assert len(told["backfill"]) <= story.runs["backfill"].merge["conflicts"]


def test_jobs_logged_at_the_level_debug(story: Story):
    """What the logs do not hold is held back by us, and not by a level that somebody may change."""
    logs = [path.read_text() for path in (story.machine.state_dir / "logs").glob("jr_*.out")]
    assert len(logs) > len(VERDICTS)
    assert all(re.search(r"^DEBUG botocore", log, re.MULTILINE) for log in logs)


def test_the_canaries_are_where_they_may_be(story: Story):
    """The search finds them in the zones for names: all that landed, and the rows that each is for."""
    found = {zone: _purposes(story, zone) for zone in ("raw", "processed", "quarantine")}
    landed = set(story.canaries.planted.values())
    not_landed = {purpose for purpose in landed if "staged" in purpose}
    assert found["raw"] == landed - not_landed
    for column in story.files.private:
        assert f"{column} of a row of the file without quotes" in found["processed"]
        assert f"{column} of new rows of the file with quotes" in found["processed"]
    set_aside = {p for p in landed if re.search(r" of (a row with|ragged rows|a misplaced quote)", p)}
    assert found["quarantine"] >= set_aside
    assert not found["quarantine"] & {p for p in landed if " of a row of " in p}


def test_each_rule_about_a_private_column_set_rows_aside(story: Story):
    """Of the suite's expectations about private columns every one that judges rows has failed on a canary."""
    suite = json.loads((CHECKOUT / "expectations" / DATASET / "suite.json").read_text())
    rules = {
        e["meta"]["name"]
        for e in suite["expectations"]
        if e["severity"] == "warning" and e["kwargs"].get("column") in story.files.private
    }
    assert rules
    assert rules <= set(story.runs["of every kind"].gate["failed"])


def test_no_canary_is_anywhere_else(story: Story):
    """Every bucket, log, message, metric and API record but those of the zones for names: zero hits."""
    zones = {story.outputs["buckets"][zone]: "keys" for zone in ("processed", "quarantine")}
    listed = story.machine.client("s3").list_objects_v2(
        Bucket=story.outputs["buckets"]["docs"], Prefix="operations/"
    )
    tables = {entry["Key"].split("/")[1] for entry in listed["Contents"]}
    assert {"runs", "expectation_results", "latest"} <= tables, "the records of runs are among those places"
    _assert_none(story, all_places(story.machine.client, zones | {story.raw_bucket: "nothing"}))


def test_no_canary_is_in_any_file_of_the_machine(story: Story):
    """The logs of jobs, Lambdas and crawler, the mails, Terraform's state: zero hits."""
    _assert_none(story, file_places(story.machine.state_dir, story.raw_bucket))


def test_no_canary_was_said_to_aws(story: Story, record: Path):
    """No request of a job or a Lambda held one, and no answer, but for the zones for names: zero hits."""
    assert sum(1 for _ in recorded_places(record)) > 1000
    _assert_none(story, recorded_places(record))


def test_no_canary_is_in_what_a_table_says_of_itself(story: Story):
    """Schema, properties and snapshot summaries of both Iceberg tables: zero hits."""
    catalog = open_catalog(story.machine.endpoint)
    for zone in ("processed", "quarantine"):
        table = catalog.load_table((story.outputs["databases"][zone], DATASET))
        assert table.snapshots()
        _assert_none(story, table_places(table))


def test_every_role_did_what_its_policies_allow(story: Story, record: Path):
    """The offline AWS lets everybody do everything; by the deployed policies no request is denied."""
    statements, acts = _statements(story), _acts(story, record)
    assert {act.role.removeprefix(PREFIX) for act in acts} >= {
        "gate-job",
        "merge-job",
        "maintain-job",
        "analyst",
    }
    denied = {act for act in acts if not any(statement.allows(act) for statement in statements)}
    assert denied == set()


def test_no_role_may_do_what_nobody_needs(story: Story, record: Path):
    """Each action of each statement was used by a request that the statement allows, or has its reason."""
    acts = _acts(story, record)
    idle = [
        f"{statement.role} may {action} by {statement.sid}, and did not: take it away, or give the reason"
        for statement in _statements(story)
        for action in statement.actions
        if not has_reason(statement.role.removeprefix(PREFIX), statement, action)
        if not any(is_like(action, act.action) and statement.allows(act) for act in acts)
    ]
    assert not idle, "\n".join(idle)


def test_nobody_else_reads_what_landed(story: Story):
    """Of all roles the gate and the crawler alone may read a file of the raw zone; the merge may not."""
    landed = f"arn:aws:s3:::{story.raw_bucket}/{DATASET}/dt=2026-11-01/file.csv"
    may = {
        statement.role.removeprefix(PREFIX)
        for statement in _statements(story)
        for action in ("s3:GetObject", "s3:GetObjectVersion")
        if statement.allows(Act(statement.role, action, landed))
    }
    assert may == {"crawler", "gate-job"}


def _statements(story: Story) -> list[Statement]:
    """Of the policies of all roles, as they were deployed."""
    iam = story.machine.client("iam")
    roles = [role["RoleName"] for role in all_entries(iam, "list_roles", "Roles")]
    return [
        Statement.parse(role, statement)
        for role in roles
        if role.startswith(PREFIX)
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]
        for statement in iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]["Statement"]
    ]


def _acts(story: Story, record: Path) -> set[Act]:
    client = story.machine.client
    keys = {}
    for bucket in story.outputs["buckets"].values():
        (rule,) = client("s3").get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"][
            "Rules"
        ]
        keys[bucket] = rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    topic = story.outputs["alert_topic_arn"]
    keys[topic] = client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["KmsMasterKeyId"]
    return set(Recording(keys).acts(record))


def _assert_none(story: Story, places: Iterator[Place]) -> None:
    hits = {hit.place: hit for place, data in places for hit in find_canaries(place, data)}
    told = [f"{hit}\n    ({story.canaries.purpose(hit)})" for hit in hits.values()]
    if told:
        pytest.fail("\n".join([f"{len(told)} places hold names:", *told[:100]]), pytrace=False)


def _purposes(story: Story, zone: str) -> set[str]:
    """What the canaries in the objects of a bucket were planted for."""
    stems = "|".join(STEMS)
    found = set()
    for place, data in bucket_places(story.machine.client, story.outputs["buckets"][zone], "everything"):
        for _, content in unpacked(place, data):
            found |= {*re.findall(f"(?:{stems})([a-z]{{4}})(?:{stems})", content.decode(errors="replace"))}
    return {story.canaries.planted[number] for number in found if number in story.canaries.planted}
