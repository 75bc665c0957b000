"""The guard that lets nothing outlive its starter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.offline_aws import guard

GUARD = [sys.executable, "-S", "-E", guard.__file__, "--"]
BACKGROUND_CHILD = 'sleep 60 & echo $! > "$0"; wait'


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until(condition, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def pid_in(path: Path) -> int:
    assert wait_until(lambda: path.exists() and path.read_text().strip())
    return int(path.read_text())


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -TERM $$", 143)])
def test_exit_code_is_the_commands(script, code):
    """The guard exits as its command did, with 128 + n after signal n."""
    assert guard.spawn_guarded(["sh", "-c", script]).wait(10) == code


def test_a_missing_command_is_said():
    """A command that cannot be run is exit code 127 and one line, as in a shell."""
    guarded = guard.spawn_guarded(["no-such-command"], stderr=subprocess.PIPE)
    with guarded.stderr as said:
        assert b"cannot run no-such-command" in said.read()
    assert guarded.wait(5) == 127


def test_end_of_stdin_ends_the_group(tmp_path):
    """When the guard's stdin ends, the command and the processes it started are gone."""
    pid_file = tmp_path / "pid"
    guarded = subprocess.Popen([*GUARD, "sh", "-c", BACKGROUND_CHILD, pid_file], stdin=subprocess.PIPE)
    child = pid_in(pid_file)
    guarded.stdin.close()
    guarded.wait(5)
    assert wait_until(lambda: not is_alive(child))


@pytest.mark.parametrize("method", ["terminate", "kill"])
def test_both_ways_to_stop_end_the_group(tmp_path, method):
    """terminate() and kill() of a guarded process end what the command started, too."""
    pid_file = tmp_path / "pid"
    guarded = guard.spawn_guarded(["sh", "-c", BACKGROUND_CHILD, str(pid_file)])
    child = pid_in(pid_file)
    getattr(guarded, method)()
    guarded.wait(5)
    assert wait_until(lambda: not is_alive(child))


def test_a_stubborn_command_is_killed(tmp_path):
    """A command that ignores SIGTERM has one second."""
    pid_file = tmp_path / "pid"
    guarded = guard.spawn_guarded(
        ["sh", "-c", 'trap "" TERM; echo $$ > "$0"; sleep 60; sleep 60', str(pid_file)]
    )
    child = pid_in(pid_file)
    guarded.terminate()
    assert guarded.wait(5) == 128 + signal.SIGKILL
    assert not is_alive(child)


def test_what_the_command_leaves_behind_is_ended(tmp_path):
    """When the command has ended, its background processes end with it."""
    pid_file = tmp_path / "pid"
    guarded = guard.spawn_guarded(["sh", "-c", 'sleep 60 & echo $! > "$0"', str(pid_file)])
    assert guarded.wait(5) == 0
    child = int(pid_file.read_text())
    assert wait_until(lambda: not is_alive(child))


def test_kill_9_of_the_starter_ends_the_command(tmp_path):
    """A starter that dies without a word takes its guarded commands with it, and so on downwards."""
    pid_file = tmp_path / "pid"
    root = Path(__file__).parents[2]
    starter_code = (
        f"import sys, time; sys.path.insert(0, {str(root)!r})\n"
        "from scripts.offline_aws.guard import spawn_guarded\n"
        f"kept = spawn_guarded(['sh', '-c', {BACKGROUND_CHILD!r}, {str(pid_file)!r}])\n"
        "time.sleep(60)"
    )
    starter = subprocess.Popen([sys.executable, "-c", starter_code])
    child = pid_in(pid_file)
    starter.kill()
    starter.wait(5)
    assert wait_until(lambda: not is_alive(child))


def test_siblings_do_not_keep_a_lease_alive():
    """The write end of the pipe is the starter's alone: another child does not inherit it."""
    first, second = (guard.spawn_guarded(["sleep", "60"]) for _ in range(2))
    first.lease()
    assert first.wait(5) != 0
    assert second.poll() is None
    second.terminate()
    second.wait(5)
