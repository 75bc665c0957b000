"""Job processes, started through the fork server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CHECKOUT = Path(__file__).parents[2]
LIMIT_SECONDS = 90
KILLED = -signal.SIGKILL


@dataclass(slots=True)
class Job:
    """One process. `pid` is known once it was forked, and its end once it was waited for."""

    folder: Path
    pid: int = 0
    _started: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _exit_code: int = 0

    def wait(self) -> int:
        """Its exit code, or the signal that ended it as -n. Raises TimeoutError."""
        if not self._ended.wait(LIMIT_SECONDS):
            os.kill(self.pid, signal.SIGKILL)
            raise TimeoutError(f"a job did not end within {LIMIT_SECONDS} s")
        return self._exit_code

    @property
    def error(self) -> str:
        """What Glue would show as the run's error message; empty for a run that said nothing."""
        path = self.folder / "error"
        return path.read_text() if path.exists() else ""

    @property
    def log(self) -> str:
        return (self.folder / "out").read_text() + (self.folder / "err").read_text()


class ForkServer:
    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="torture-")
        self._jobs: dict[int, Job] = {}
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scripts.torture.fork_server"],
            cwd=CHECKOUT,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert json.loads(self._process.stdout.readline())["ready"]
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._folder.cleanup()

    def start(self, step: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Job:
        with self._lock:
            number = len(self._jobs)
            job = self._jobs[number] = Job(Path(tempfile.mkdtemp(dir=self._folder.name)))
        request = {
            "id": number,
            "script": str(CHECKOUT / "etl" / "glue_jobs" / f"{step}.py"),
            "arguments": list(arguments),
            "environment": dict(environment),
            "folder": str(job.folder),
        }
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        job._started.wait(LIMIT_SECONDS)
        return job

    def _listen(self) -> None:
        for line in self._process.stdout:
            told: dict[str, Any] = json.loads(line)
            job = self._jobs[told["id"]]
            if "pid" in told:
                job.pid = told["pid"]
                job._started.set()
            else:
                job._exit_code = told["exit"]
                job._ended.set()
