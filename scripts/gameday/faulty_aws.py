"""The offline AWS with a door for faults: they come from outside, and nothing deployed knows of them.

    python -m scripts.gameday.faulty_aws --port 0 --state-dir DIR

    PUT /lakegate-offline/faults    {"refused": ["sns"], "crashes": [{"job", "call", "times"}]}
    GET /lakegate-offline/faults    {"refused": 3, "crashed": [{"run", "at"}]}, since the faults were put

A service that is refused answers everybody 503. A job that crashes is killed, as by a lack of memory, once in
each of its next runs, at its first call that `call` (a regular expression) matches; the call is not made.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from scripts.offline_aws.__main__ import main
from scripts.offline_aws.server import ACCOUNT_ID, OfflineAws
from scripts.torture.interference import Call, WsgiApp, drop, refuse
from scripts.torture.points import Effect

DOOR = "/lakegate-offline/faults"


@dataclass(slots=True)
class Crash:
    """`runs` has when each run was killed, by id."""

    job: str
    call: re.Pattern[str]
    times: int
    runs: dict[str, str] = field(default_factory=dict)


class Faults:
    """WSGI middleware."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._put({})

    def around(self, app: WsgiApp) -> WsgiApp:
        self._app = app
        return self

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == DOOR:
            return self._answer(environ, start_response)
        call = Call.of(environ)
        if call.service in self._refused:
            with self._lock:
                self._refusals += 1
            return refuse(call, Effect.ERROR_503, environ, start_response)
        if self._crashes and self._kills(call):
            drop(environ)
        return self._app(environ, start_response)

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        if environ["REQUEST_METHOD"] == "PUT":
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            self._put(json.loads(body))
        runs = [killed for crash in self._crashes for killed in crash.runs.items()]
        crashed = [{"run": run, "at": at} for run, at in runs]
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"refused": self._refusals, "crashed": crashed}).encode()]

    def _put(self, plan: Mapping[str, Any]) -> None:
        with self._lock:
            self._refusals = 0
            self._refused = frozenset(plan.get("refused", ()))
            self._crashes = [
                Crash(crash["job"], re.compile(crash["call"]), crash["times"])
                for crash in plan.get("crashes", ())
            ]

    def _kills(self, call: Call) -> bool:
        """Kill the job that makes the call, if that is due."""
        for crash in self._crashes:
            if not crash.call.search(str(call)):
                continue
            run = _running(crash.job, call.caller)
            with self._lock:
                if run is None or run.job_run_id in crash.runs or len(crash.runs) == crash.times:
                    continue
                crash.runs[run.job_run_id] = datetime.now(UTC).isoformat()
            _kill(run.process.pid)
            return True
        return False


def _running(job_name: str, access_key: str) -> Any:
    """The job's run whose role's key it is, if it runs; of several the newest."""
    from moto.glue.models import glue_backends
    from moto.sts.models import sts_backends

    caller = sts_backends[ACCOUNT_ID]["aws"].get_assumed_role_from_access_key(access_key)
    jobs = [job for regional in glue_backends[ACCOUNT_ID].values() for job in regional.jobs.values()]
    job = next((job for job in jobs if job.name == job_name), None)
    if caller is None or job is None or caller.role_arn.rpartition("/")[2] != job.role.rpartition("/")[2]:
        return None
    runs = [run for run in job.job_runs if run.status == "RUNNING"]
    return runs[-1] if runs else None


def _kill(guard: int) -> None:
    """SIGKILL to what runs under the guard, which then tells how it ended."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            after_name = (process / "stat").read_text().rpartition(")")[2]
            if int(after_name.split()[1]) == guard:
                os.kill(int(process.name), signal.SIGKILL)


if __name__ == "__main__":
    OfflineAws.start = functools.partialmethod(OfflineAws.start, Faults().around)  # type: ignore[assignment]
    typer.run(main)
