"""The maintenance, as a real process killed at calls that it makes to AWS, and finished by the next run."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from moto.s3.models import s3_backends

from etl.tables.iceberg_ledger import read_ledger
from scripts.offline_aws.server import OfflineAws
from scripts.torture import judge
from scripts.torture.interference import Call, Interference, Plan
from scripts.torture.points import Effect
from scripts.torture.processes import KILLED, ForkServer
from scripts.torture.worker import job_environment
from scripts.torture.world import TABLES, Saved, World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

POINTS = int(os.environ.get("LAKEGATE_MAINTENANCE_POINTS", "4"))
MONTH = timedelta(days=30)
STRAY = "warehouse/employee/data/stray.parquet"
EAGER = {"minFilesToCompact: 5": "minFilesToCompact: 2", "keepSnapshotsAtLeast: 5": "keepSnapshotsAtLeast: 1"}


@dataclass
class Kept:
    """Two tables of a month ago, with small files, old snapshots and a stray file, and what they hold."""

    world: World
    interference: Interference
    server: ForkServer
    environment: dict[str, str]
    seen: list[judge.Rows] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world.build()
        contract = "expectations/employee/contract.yaml"
        text = self.world.read("artifacts", contract).decode()
        for before, eager in EAGER.items():
            assert before in text
            text = text.replace(before, eager)
        self.world.s3.put_object(Bucket=self.world.bucket("artifacts"), Key=contract, Body=text.encode())
        for run in ("first", "nightly", "backfill"):
            for step in ("gate", "merge"):
                self.finish(step, self.world.arguments(run))
        self.world.s3.put_object(Bucket=self.world.bucket("processed"), Key=STRAY, Body=b"x")
        for zone in TABLES:
            self._predate_snapshots(zone)
        self.saved: Saved = self.world.save()
        self.rows = {zone: judge.rows_of(self.world, zone) for zone in TABLES}
        self.batches = read_ledger(self.world.table("processed").metadata)
        self.interference.changed = self._look

    def restore(self) -> None:
        self.world.restore(self.saved)
        self.interference.plans.clear()
        self.seen.clear()
        for zone in TABLES:
            bucket = s3_backends[self.world.state.account_id]["aws"].buckets[self.world.bucket(zone)]
            for key in bucket.keys.values():
                key.last_modified -= MONTH

    def maintain(self, plan: Plan) -> tuple[int, str]:
        """Its exit code, and its error if it had one."""
        job = self._start("maintain", [*self.world.arguments("first"), "--JOB_RUN_ID", "jr_1"], plan)
        return job.wait(), job.error

    def finish(self, step: str, arguments: list[str]) -> None:
        job = self._start(step, arguments, Plan())
        assert job.wait() == 0, job.error + job.log[-2000:]

    def _start(self, step: str, arguments: list[str], plan: Plan) -> Any:
        self.interference.plans["job"] = plan
        job = self.server.start(step, arguments, self.environment | {"AWS_ACCESS_KEY_ID": "job"})
        plan.pid = job.pid
        plan.has_pid.set()
        return job

    def _look(self, call: Call) -> None:
        """After each call that can change what a reader sees."""
        if call.target == "UpdateTable" or call.method == "DELETE" or call.path.endswith("/"):
            self.seen.append(judge.rows_of(self.world, "processed"))

    def _predate_snapshots(self, zone: str) -> None:
        location = self.world.table(zone).metadata_location
        bucket, _, key = location.removeprefix("s3://").partition("/")
        metadata = json.loads(self.world.read(zone, key))
        for entry in (*metadata["snapshots"], *metadata["snapshot-log"], *metadata["metadata-log"]):
            entry["timestamp-ms"] -= int(MONTH.total_seconds() * 1000)
        self.world.s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(metadata).encode())


@pytest.fixture(scope="module")
def kept(offline_aws: OfflineAws, interference: Interference) -> Iterator[Kept]:
    state = offline_aws.state
    environment = job_environment(state.endpoint, state.region, state.state_dir)
    environment |= {"PATH": os.environ["PATH"]}
    with pytest.MonkeyPatch.context() as patch, ForkServer() as server:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield Kept(World(state), interference, server, environment)


def in_order(kept: Kept) -> None:
    """What has to hold after a whole run, whatever came before it."""
    assert {zone: judge.rows_of(kept.world, zone) for zone in TABLES} == kept.rows
    assert set(kept.seen) <= {kept.rows["processed"]}, "a reader saw something else on the way"
    assert set(read_ledger(kept.world.table("processed").metadata)) == set(kept.batches)
    table = kept.world.table("processed")
    assert len(list(table.scan().plan_files())) == 1
    assert len(table.snapshots()) == 2, "that of the joined file, and the one that it replaced just now"
    assert STRAY not in kept.world.listed("processed")
    for snapshot in table.snapshots():
        assert table.scan(snapshot_id=snapshot.snapshot_id).to_arrow().num_rows


def test_a_killed_maintenance_is_finished_by_the_next(kept: Kept):
    """At a sample of its calls, or as many as asked for: readers see all rows, and nothing is left undone."""
    kept.restore()
    whole = Plan()
    assert kept.maintain(whole) == (0, "")
    in_order(kept)
    calls = len(whole.calls)
    points = [
        (call, effect) for call in range(1, calls + 1) for effect in (Effect.KILL_BEFORE, Effect.KILL_AFTER)
    ]
    for call, effect in random.sample(points, min(POINTS, len(points))):
        kept.restore()
        told = f"{effect} at call {call} of {calls}, {whole.calls[call - 1]}"
        assert kept.maintain(Plan(effect, call, call))[0] == KILLED, told
        assert judge.rows_of(kept.world, "processed") == kept.rows["processed"], told
        assert kept.maintain(Plan()) == (0, ""), told
        try:
            in_order(kept)
        except AssertionError as error:
            raise AssertionError(f"{told}: {error}") from error
    print(f"of {len(points)} points {min(POINTS, len(points))} were tried, and survived")
