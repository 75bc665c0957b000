"""`python -m scripts.offline_aws`, from outside."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def start(tmp_path):
    started = []

    def run(*arguments: str, state_dir: Path = tmp_path / "state") -> subprocess.Popen:
        command = [sys.executable, "-m", "scripts.offline_aws", "--state-dir", str(state_dir), *arguments]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()


def endpoint(state_dir: Path, process: subprocess.Popen) -> dict:
    file = state_dir / "endpoint.json"
    deadline = time.monotonic() + 30
    while not file.exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return json.loads(file.read_text())


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_and_stops_cleanly(start, tmp_path, signum):
    """It says where it is once it answers; SIGTERM and Ctrl-C end it with 0 and take the endpoint away."""
    process = start("--port", "0")
    facts = endpoint(tmp_path / "state", process)
    assert facts["pid"] == process.pid
    with urllib.request.urlopen(facts["endpoint"] + "/moto-api/data.json") as answer:
        assert answer.status == 200
    process.send_signal(signum)
    assert process.wait(10) == 0
    assert not (tmp_path / "state" / "endpoint.json").exists()


def test_the_lease_ends_it(start, tmp_path):
    """With --lease it lives as long as its stdin."""
    process = start("--lease")
    endpoint(tmp_path / "state", process)
    process.stdin.close()
    assert process.wait(10) == 0


def test_a_detached_lease_does_not(start, tmp_path):
    """After the line `detach` it outlives its stdin."""
    process = start("--lease")
    endpoint(tmp_path / "state", process)
    process.stdin.write("detach\n")
    process.stdin.close()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)


def test_a_taken_port_is_one_clear_line(start):
    """A port that is taken gets one line on stderr and a non-zero exit code."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start("--port", str(taken.getsockname()[1]))
        _, said = process.communicate(timeout=30)
    assert process.returncode == 69
    assert said.count("\n") == 1
    assert "is taken" in said


def test_one_state_folder_has_one_server(start, tmp_path):
    """A second server in the same folder is refused; a killed one leaves no lock behind."""
    first = start()
    endpoint(tmp_path / "state", first)
    second = start()
    _, said = second.communicate(timeout=30)
    assert (second.returncode, said.count("\n")) == (69, 1)
    first.kill()
    first.wait(10)
    (tmp_path / "state" / "endpoint.json").unlink()
    third = start()
    endpoint(tmp_path / "state", third)
