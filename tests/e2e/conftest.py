"""Demos as users start them: a process of their own, and a folder of their own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from scripts.package import CHECKOUT

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start_demo() -> Iterator[Start]:
    """Starts demos; those that still run when the test ends are killed."""
    started: list[subprocess.Popen[str]] = []

    def start(state_dir: Path, *options: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "scripts.demo", "--state-dir", str(state_dir), *options]
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env=os.environ | (env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def processes_of(state_dir: Path) -> list[str]:
    """Command lines and environments of this machine's processes that name the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + b"\0" + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(state_dir).encode() in told and int(process.name) != os.getpid():
            found.append(told.split(b"\0TF_", 1)[0].replace(b"\0", b" ").decode(errors="replace")[:300])
    return found
