"""What is done to the machine with files full of canaries: every way of going well, and of going wrong."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from etl.run_files import maintenance_report_key, manifest_key
from etl.steps.stage import checksum
from scripts.athena_query import Answer, ask_athena
from scripts.offline_machine import Machine
from scripts.package import CHECKOUT
from scripts.runs import WorkflowRun, await_run, run_ids
from tests.e2e.canary_files import CanaryFiles
from tests.e2e.canary_search import Canaries

DATASET = "employee"
_TODAY = datetime.now(UTC).date()
_SCRIPTS = Path(__file__).parent / "canary_scripts"
_AS_TEXT: dict[str, Any] = {
    "cwd": CHECKOUT,
    "stdout": subprocess.PIPE,
    "stderr": subprocess.STDOUT,
    "text": True,
}
# Put before a deployed job script: what somebody does who wants to see more.
_DEBUG = "import logging\nlogging.INFO = logging.DEBUG\n"


@dataclass(slots=True)
class Story:
    """The machine and what became of what; `runs` and `crashes` are by case, `told` is what commands said."""

    machine: Machine
    outputs: dict[str, Any]
    canaries: Canaries
    files: CanaryFiles
    runs: dict[str, WorkflowRun] = field(default_factory=dict)
    crashes: dict[str, str] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    maintained: dict[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def play(self) -> None:
        """All of it, in an order in which nothing spoils what comes after."""
        self._log_all()
        first = self.files.people("the file without quotes", _day(30))
        self.land({"of every kind": self.files.of_every_kind(first, _day(30))}, ago=30)
        later = {
            "with quotes": self.files.with_quotes(first, _day(29)),
            "too short": self.files.too_short(_day(28)),
            "too bad": self.files.too_bad(_day(27)),
            "wrong encoding": self.files.wrong_encoding(_day(26)),
            "NUL": self.files.with_nul(_day(25)),
            "unclosed quote": self.files.unclosed_quote(_day(24)),
            "no header": self.files.without_header(_day(23)),
            "renamed header": self.files.renamed_header(_day(22)),
            "broken gzip": self.files.broken_gzip(_day(21)),
        }
        self.land(later, ago=29)
        self._land_nowhere()
        self._break_the_check()
        self._run_again(first)
        self._replay()
        self._maintain()
        self._crash()
        self._ask()

    def land(self, files: dict[str, bytes], ago: int) -> None:
        """Land the files, for one day each from `ago` days ago on, and wait for their runs to end.

        A workflow runs ten at a time; more would wait for their message to come again.
        """
        days = {str(_day(ago - number)): case for number, case in enumerate(files)}
        with self._runs(len(files), lambda run: days[run.properties["batch_date"]]):
            for (day, case), content in zip(days.items(), files.values(), strict=True):
                name = self.canaries.make("the name of a file")
                self.put("raw", f"{DATASET}/dt={day}/{name}.csv{'.gz' * ('gzip' in case)}", content)

    def put(self, zone: str, key: str, content: bytes) -> Any:
        bucket = self.outputs["buckets"][zone]
        return self.machine.client("s3").put_object(Bucket=bucket, Key=key, Body=content)

    def get(self, zone: str, key: str) -> bytes:
        bucket = self.outputs["buckets"][zone]
        return self.machine.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()

    @property
    def workflow(self) -> str:
        return self.outputs["workflows"][DATASET]

    @property
    def raw_bucket(self) -> str:
        return self.outputs["buckets"]["raw"]

    @contextmanager
    def _runs(self, count: int, case_of: Callable[[WorkflowRun], str]) -> Iterator[None]:
        """What is done inside makes this many workflow runs; keep them when they have ended."""
        known = run_ids(self.machine, self.workflow)
        yield
        for _ in range(count):
            run = await_run(self.machine, self.workflow, known, self.outputs["buckets"]["docs"])
            known.add(run.run_id)
            self.runs[case_of(run)] = run

    @contextmanager
    def _artifact(self, key: str, change: Callable[[bytes], bytes]) -> Iterator[None]:
        """The deployed file as somebody changed it, for a while."""
        before = self.get("artifacts", key)
        self.put("artifacts", key, change(before))
        yield
        self.put("artifacts", key, before)

    def _script(self, step: str) -> str:
        name = f"lakegate-local-{DATASET}-{step}"
        uri = self.machine.client("glue").get_job(JobName=name)["Job"]["Command"]["ScriptLocation"]
        return uri.removeprefix("s3://").partition("/")[2]

    def _log_all(self) -> None:
        """From here on all jobs log at the level DEBUG."""
        for step in ("gate", "merge", "maintain"):
            self.put(
                "artifacts", self._script(step), _DEBUG.encode() + self.get("artifacts", self._script(step))
            )

    def _land_nowhere(self) -> None:
        """Keys that no run is started for, each with a name in it."""
        mails = len(self.alerts)
        name = self.canaries.make("a key that is refused")
        for key in (
            f"{name.lower()}/dt=2026-11-01/employee.csv",
            f"{DATASET}/dt=2199-01-01/{name}.csv",
            f"{DATASET}/dt=2026-02-30/{name}.csv",
            f"{DATASET}/{name}.csv",
        ):
            self.put("raw", key, name.encode())
        _await(lambda: len(self.alerts) == mails + 4, "four mails about keys that name no dataset")

    def _break_the_check(self) -> None:
        """A check that raises with the values in its message, and one that would show them."""
        name = {"column": self.files.private[-1]}
        checks = {
            "loud check": ("expect_column_values_to_be_loud", name),
            "showing check": ("expect_column_max_to_be_between", name | {"min_value": "a"}),
        }
        loud, suite = (_SCRIPTS / "loud_expectation.py").read_bytes(), f"expectations/{DATASET}/suite.json"
        for number, (case, (kind, kwargs)) in enumerate(checks.items()):
            content = self.files.for_a_broken_check(case, _day(15 - number))
            with (
                self._artifact(self._script("gate"), loud.__add__),
                self._artifact(suite, partial(_with_expectation, kind, kwargs)),
            ):
                self.land({case: content}, ago=15 - number)

    def _run_again(self, people: list[dict[str, str]]) -> None:
        """The first file once more and, at the same time, two backfills that meet other values."""
        glue, events = self.machine.client("glue"), self.machine.client("events")
        again = self.runs["of every kind"].properties
        content = self.files.with_quotes([row | {"salary": "61000"} for row in people], _day(12))
        key = f"{DATASET}/dt={_day(12)}/{self.canaries.make('the name of a file')}.csv"
        events.disable_rule(Name="lakegate-local-object-created")
        self.put("raw", key, content)
        events.enable_rule(Name="lakegate-local-object-created")
        at_once = [self._command("backfill", "--date", str(_day(12)), "--force") for _ in range(2)]
        with self._runs(3, _case_of_backfill):
            glue.start_workflow_run(Name=self.workflow, RunProperties=again)
            started = [subprocess.Popen(command, **_AS_TEXT) for command in at_once]
            self.told += [_output_of(process) for process in started]

    def _replay(self) -> None:
        """The rows that were set aside of the first file once more, by a suite that lets most pass."""
        batch_id = self.runs["of every kind"].gate["batch_id"]
        commands = [["quarantine"], ["replay", "--quarantine", batch_id]]
        with (
            self._artifact(f"expectations/{DATASET}/suite.json", _that_only_tells),
            self._runs(1, lambda _: "replayed"),
        ):
            for command in commands:
                self.told.append(_output_of(subprocess.Popen(self._command(*command), **_AS_TEXT)))

    def _command(self, name: str, *arguments: str) -> list[str]:
        state_dir = str(self.machine.state_dir)
        return [sys.executable, "-m", f"scripts.{name}", *arguments, "--state-dir", state_dir]

    def _maintain(self) -> None:
        """The maintenance, which reads and writes every row that is there."""
        glue, name = self.machine.client("glue"), f"lakegate-local-{DATASET}-maintain"
        run_id = glue.start_job_run(JobName=name)["JobRunId"]
        active = {"STARTING", "RUNNING"}
        _await(
            lambda: glue.get_job_run(JobName=name, RunId=run_id)["JobRun"]["JobRunState"] not in active,
            "the end of the maintenance",
        )
        self.maintained = json.loads(self.get("docs", maintenance_report_key(DATASET, run_id)))

    def _crash(self) -> None:
        """Jobs that die of something that nobody thought of, with values in what they die of.

        They are not retried: each would die three times more, of the same.
        """
        self._let_nothing_be_retried()
        self._stage("with quotes", self._misfit_rows())
        self._stage("of every kind", f"{self.canaries.make('a staged file that is none')},x\n".encode())
        self.put(
            "processed", self._staged_key("backfill"), self.canaries.make("an altered staged file").encode()
        )
        crashes = {"merge of values that do not fit": ("merge", "with quotes")}
        crashes |= {
            "merge of no Parquet": ("merge", "of every kind"),
            "merge of altered rows": ("merge", "backfill"),
        }
        with self._artifact("expectations/quarantine.yaml", _row_text_as_number):
            self._crash_jobs(crashes | {"gate that cannot quarantine": ("gate", "of every kind")})
        for zone, step in (("processed", "merge"), ("quarantine", "gate"), ("quarantine", "maintain")):
            with self._lost_metadata(zone):
                self._crash_jobs({f"{step} without its table": (step, "redelivered")})

    def _crash_jobs(self, jobs: dict[str, tuple[str, str]]) -> None:
        """Start the jobs by hand, for the runs of earlier cases, and wait until their end was seen to."""
        glue = self.machine.client("glue")
        started = {}
        for case, (step, of) in jobs.items():
            arguments = {"--WORKFLOW_NAME": self.workflow, "--WORKFLOW_RUN_ID": self.runs[of].run_id}
            name = f"lakegate-local-{DATASET}-{step}"
            answer = glue.start_job_run(JobName=name, Arguments=arguments)
            started[case] = (name, answer["JobRunId"])
        for case, (name, run_id) in started.items():
            _await(lambda run_id=run_id: self._is_seen_to(run_id), f"what follows from {case}")
            self.crashes[case] = glue.get_job_run(JobName=name, RunId=run_id)["JobRun"]["ErrorMessage"]

    def _let_nothing_be_retried(self) -> None:
        functions, name = self.machine.client("lambda"), self.outputs["lambda_functions"]["handle-failure"]
        given = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        changed = {"Variables": given | {"RETRY_ATTEMPTS": "0"}}
        functions.update_function_configuration(FunctionName=name, Environment=changed)

    def _is_seen_to(self, job_run_id: str) -> bool:
        """Whether people were told of it, or it was added to a case of which they were."""
        if any(job_run_id in mail for mail in self.alerts):
            return True
        s3, bucket = self.machine.client("s3"), self.outputs["buckets"]["docs"]
        found = s3.list_objects_v2(Bucket=bucket, Prefix="operations/cases/").get("Contents", ())
        cases = (json.loads(self.get("docs", entry["Key"])) for entry in found)
        return any(
            failure["job_run_id"] == job_run_id and failure["is_done"]
            for case in cases
            for failure in case["failures"]
        )

    def _stage(self, case: str, staged: bytes) -> None:
        """Other rows for the merge of an earlier run, with a manifest that vouches for them."""
        key = manifest_key(DATASET, self.runs[case].run_id)
        manifest = json.loads(self.get("docs", key))
        counts = {"rows_read": 1, "rows_passed": 1, "rows_quarantined": 0, "rows_unparsable": 0}
        vouched = manifest | counts | {"staged_sha256": checksum(staged)}
        self.put("docs", key, json.dumps(vouched).encode())
        self.put("processed", self._staged_key(case), staged)

    def _misfit_rows(self) -> bytes:
        """One staged row of which every column is a name; Arrow quotes what is no number."""
        name, sink = self.canaries.make("a staged row that fits no column"), io.BytesIO()
        pq.write_table(pa.table({column: [name] for column in self.files.columns}), sink)
        return sink.getvalue()

    def _staged_key(self, case: str) -> str:
        manifest = json.loads(self.get("docs", manifest_key(DATASET, self.runs[case].run_id)))
        return manifest["staged_uri"].removeprefix("s3://").partition("/")[2]

    @contextmanager
    def _lost_metadata(self, zone: str) -> Iterator[None]:
        glue, database = self.machine.client("glue"), self.outputs["databases"][zone]
        table = glue.get_table(DatabaseName=database, Name=DATASET)["Table"]
        fields = ("Name", "TableType", "StorageDescriptor", "Parameters")
        kept = {name: table[name] for name in fields if name in table}
        location = table["Parameters"]["metadata_location"]
        for broken in (f"{location}.gone", location):
            lost = kept | {"Parameters": table["Parameters"] | {"metadata_location": broken}}
            glue.update_table(DatabaseName=database, TableInput=lost)
            if broken != location:
                yield

    def _ask(self) -> None:
        """What an analyst may ask, and what is refused."""
        table, private = f"{self.outputs['databases']['processed']}.{DATASET}", self.files.private
        statements = [f"SELECT * FROM {table}", f"SELECT max({private[0]}) FROM {table}"]
        statements += [f"SELECT row_text FROM {self.outputs['databases']['quarantine']}.{DATASET}"]
        for sql in statements:
            workgroup, role = self.outputs["athena_workgroup"], self.outputs["analyst_role_arn"]
            self.answers.append(ask_athena(self.machine, sql, workgroup, role))

    @property
    def alerts(self) -> list[str]:
        return [mail.read_text() for mail in self.machine.alerts]


def _case_of_backfill(run: WorkflowRun) -> str:
    if run.properties["trigger"] != "backfill":
        return "redelivered"
    return "backfill at once" if run.merge and run.merge["already_committed"] else "backfill"


def _output_of(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    return output


def _that_only_tells(suite: bytes) -> bytes:
    """No expectation of it sets a row aside."""
    document = json.loads(suite)
    for expectation in document["expectations"]:
        expectation["severity"] = "info"
    return json.dumps(document).encode()


def _day(ago: int) -> date:
    return _TODAY - timedelta(days=ago)


def _with_expectation(kind: str, kwargs: dict[str, str], suite: bytes) -> bytes:
    document = json.loads(suite)
    document["expectations"].append(
        {
            "type": kind,
            "kwargs": kwargs,
            "severity": "warning",
            "description": "Somebody thought that this was a good idea.",
            "meta": {"name": "bad_idea", "owner": "somebody"},
        }
    )
    return json.dumps(document).encode()


def _row_text_as_number(columns: bytes) -> bytes:
    """The rows' text, in a quarantine table that wants a number there: Arrow quotes what does not fit."""
    before, name, after = columns.partition(b"- name: row_text\n    physicalType: string")
    assert name
    return before + name.replace(b"string", b"bigint") + after


def _await(condition: Callable[[], bool], what: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.2)
