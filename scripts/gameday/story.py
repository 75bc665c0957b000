"""The machine of a game day: what scenarios do to it from outside, and what they look at."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from etl.operations.intervention import intervention_key
from scripts.athena_query import Answer, ask_athena
from scripts.demo_view import Update, View
from scripts.gameday.mails import Mail, read_mails
from scripts.offline_machine import Machine
from scripts.package import CHECKOUT
from scripts.runs import WorkflowRun, await_run, run_ids
from scripts.sample_data import Day, Fault, Recipe, Sample, make_sample

DATASET = "employee"
SUITE = f"expectations/{DATASET}/suite.json"
PEOPLE = 1034
HIRED_A_DAY = 3
_DAYS = 20
_DOOR = "lakegate-offline/faults"
_CALLS = {"gate": "s3 PUT .*/staging/", "merge": "glue UpdateTable"}

Seen = TypeVar("Seen")


class NotSeen(Exception):
    """The message says what was waited for, or needed, in vain."""


@dataclass(frozen=True, slots=True)
class Landed:
    """One version of a file in the raw zone."""

    at: datetime
    key: str
    version_id: str
    etag: str
    size: int


@dataclass(slots=True)
class Story:
    """Its days are numbered from 0, the first; the last is yesterday."""

    machine: Machine
    outputs: dict[str, Any]
    view: View
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    def day(self, number: int) -> date:
        return self.today - timedelta(days=_DAYS - number)

    def file_of(self, number: int, faults: Sequence[Fault] = ()) -> Sample:
        """The company on that day: some people, others each day, have another salary than on the first; 3 a
        day have joined."""
        if number == 0:
            return make_sample(Recipe(rows=PEOPLE, date=self.day(0)))
        hires, on = HIRED_A_DAY * number, self.day(1)  # everybody is as old as on the first day
        changed = 100 + number  # one in so many people
        return make_sample(Recipe(PEOPLE, on, day=Day.NEXT, faults=faults, change_every=changed, hires=hires))

    def land(self, number: int, content: bytes) -> Landed:
        key = f"{DATASET}/dt={self.day(number)}/{DATASET}.csv"
        at = now()
        answer = self.put("raw", key, content)
        self.view.say(f"landed as {key}")
        return Landed(at, key, answer["VersionId"], answer["ETag"].strip('"'), len(content))

    def put(self, zone: str, key: str, content: bytes) -> Any:
        return self.machine.client("s3").put_object(Bucket=self.bucket(zone), Key=key, Body=content)

    def get(self, zone: str, key: str) -> bytes:
        return self.machine.client("s3").get_object(Bucket=self.bucket(zone), Key=key)["Body"].read()

    def keys(self, zone: str, prefix: str) -> list[str]:
        pages = self.machine.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.bucket(zone), Prefix=prefix)
        return [entry["Key"] for page in found for entry in page.get("Contents", ())]

    def bucket(self, zone: str) -> str:
        return self.outputs["buckets"][zone]

    @contextmanager
    def deployed_instead(self, key: str, content: bytes) -> Iterator[None]:
        """The artifact as somebody replaced it, who went round `make package`; then the good one again."""
        good = self.get("artifacts", key)
        self.put("artifacts", key, content)
        try:
            yield
        finally:
            self.put("artifacts", key, good)

    @contextmanager
    def faults(self, **plan: Any) -> Iterator[Callable[[], dict[str, Any]]]:
        """Put faults into the offline AWS for a while; what it yields tells what they did so far."""
        _ask(f"{self.machine.endpoint}/{_DOOR}", plan)
        try:
            yield lambda: _ask(f"{self.machine.endpoint}/{_DOOR}")
        finally:
            _ask(f"{self.machine.endpoint}/{_DOOR}", {})

    def crash(self, step: str, times: int) -> dict[str, Any]:
        """As faults(crashes=[...]) takes it: the step is killed by what it is there for, before that takes
        effect."""
        return {"job": f"{self.workflow}-{step}", "call": _CALLS[step], "times": times}

    def intervention(self, run: WorkflowRun) -> dict[str, Any]:
        """The record that the run waits for a person, or did."""
        return json.loads(self.get("docs", intervention_key(DATASET, run.run_id)))

    @property
    def workflow(self) -> str:
        return self.outputs["workflows"][DATASET]

    @property
    def prefix(self) -> str:
        """What every name begins with."""
        return self.workflow.removesuffix(f"-{DATASET}")

    def known_runs(self) -> set[str]:
        return run_ids(self.machine, self.workflow)

    def await_run(self, known: set[str], update: Update) -> WorkflowRun:
        """The next run to end that is not known; it is from then on."""
        run = await_run(self.machine, self.workflow, known, self.bucket("docs"), update)
        known.add(run.run_id)
        return run

    def mails(self, since: datetime) -> list[Mail]:
        return read_mails(self.machine.mails, since)

    def alerts(self, since: datetime) -> list[Mail]:
        """Of the mails, those of runs; CloudWatch's alarms say what they say beside."""
        return read_mails(self.machine.alerts, since)

    def await_mail(self, kind: str, since: datetime, seconds: float = 60) -> Mail:
        def find() -> Mail | None:
            return next((mail for mail in self.mails(since) if mail.kind == kind), None)

        return await_value(find, f"a mail of kind {kind}", seconds)

    def await_alert(self, kind: str, since: datetime) -> Mail:
        """As await_mail, but of a run: an alarm may link to the same runbook, and come first."""

        def find() -> Mail | None:
            return next((mail for mail in self.alerts(since) if mail.kind == kind), None)

        return await_value(find, f"an alert of kind {kind}")

    def ask(self, sql: str) -> Answer:
        """As a data steward."""
        workgroup, role = self.outputs["athena_steward_workgroup"], self.outputs["steward_role_arn"]
        answer = ask_athena(self.machine, sql, workgroup, role)
        if answer.refusal:
            raise NotSeen(f"an answer from Athena to {sql}: {answer.refusal}")
        return answer

    def count(self, sql: str) -> int:
        return int(self.ask(sql).rows[0][0] or 0)

    def rows(self) -> int:
        return self.count(f"SELECT count(*) FROM {self.table}")

    def keys_in_table(self) -> int:
        return self.count(
            f"SELECT count(*) FROM (SELECT DISTINCT first_name, last_name, age FROM {self.table})"
        )

    @property
    def table(self) -> str:
        return f"{self.outputs['databases']['processed']}.{DATASET}"

    @property
    def quarantine(self) -> str:
        return f"{self.outputs['databases']['quarantine']}.{DATASET}"

    def metadata(self) -> str:
        """Where the table's metadata lies, which whatever a merge writes changes."""
        glue = self.machine.client("glue")
        table = glue.get_table(DatabaseName=self.outputs["databases"]["processed"], Name=DATASET)["Table"]
        return table["Parameters"]["metadata_location"]

    def fire_schedule(self, name: str) -> None:
        """What the clock does on AWS."""
        _ask(f"{self.machine.endpoint}/lakegate-offline/schedules/default/{name}/fire", method="POST")

    def run_script(self, module: str, *options: str) -> None:
        """What `make` would run; what it says is shown. Raises NotSeen unless it ends well."""
        command = [sys.executable, "-m", module, *options, "--state-dir", str(self.machine.state_dir)]
        done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
        self.view.quote(done.stdout + done.stderr)
        if done.returncode:
            raise NotSeen(f"a good end of {module}, which exited with {done.returncode},")


def await_value(look: Callable[[], Seen | None], what: str, seconds: float = 60) -> Seen:
    """Raises NotSeen when it does not come in time."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise NotSeen(f"{what}, within {seconds:.0f} s")
        time.sleep(0.2)
    return found


def now() -> datetime:
    return datetime.now(UTC)


def _ask(url: str, body: Any = None, method: str | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method or ("GET" if body is None else "PUT"))
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())
