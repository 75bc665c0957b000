"""Run a command so that it cannot outlive the process that asked for it.

    python -S -E guard.py -- cmd arg …

The command gets a process group of its own. The guard kills that whole group when the guard's stdin
reaches EOF, when the guard is asked to terminate, or when the command has ended and left others
behind. The starter holds the other end of stdin: however it dies, kill -9 included, the kernel closes
that end, and the guard acts. The guard's exit code is the command's (128 + n after signal n).

Only the standard library, and little of it: the guard starts beside every job run.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

GRACE_SECONDS = 1.0
"""Between SIGTERM, on which a command may tidy up, and SIGKILL."""

USAGE_EXIT_CODE = 64
NOT_FOUND_EXIT_CODE = 127


def spawn_guarded(
    cmd: Sequence[str],
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    stdout: int | IO | None = None,
    stderr: int | IO | None = None,
) -> subprocess.Popen:
    """Start `cmd` under a guard, and hold the guard's stdin until this process dies.

    `terminate()` and `kill()` of the returned process both end the whole group of the command;
    `wait()` and `communicate()` leave it running. Dropping the last reference ends it too.
    """
    # Imported here because the guard's own process must not pay for it.
    import subprocess
    import weakref

    class Guarded(subprocess.Popen):
        def kill(self) -> None:
            """End the command's group; a SIGKILL to the guard would leave the command behind."""
            self.lease()

    read_end, write_end = os.pipe()  # neither is inheritable, so no sibling keeps the lease alive
    try:
        guarded = Guarded(
            [sys.executable, "-S", "-E", os.path.abspath(__file__), "--", *cmd],
            stdin=read_end,
            stdout=stdout,
            stderr=stderr,
            env=env,
            cwd=cwd,
            # A Ctrl-C or a kill of the starter's group must not take the guard before its command.
            start_new_session=True,
        )
    except BaseException:
        os.close(write_end)
        raise
    finally:
        os.close(read_end)
    guarded.lease = weakref.finalize(guarded, os.close, write_end)
    return guarded


def run(cmd: Sequence[str]) -> int:
    """Run `cmd` to its end, or to the end of stdin, and answer its exit code."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    for signum in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, lambda *_: None)  # a handler, so that the number reaches wake_write

    child = os.fork()
    if child == 0:
        _become(cmd)
    with contextlib.suppress(OSError):  # both sides set it: whichever comes first wins the race
        os.setpgid(child, child)

    watched = [wake_read, sys.stdin.fileno()]
    while True:
        readable, _, _ = select.select(watched, [], [])
        if wake_read in readable:
            if any(number != signal.SIGCHLD for number in os.read(wake_read, 64)):
                return _end_group(child)
            code = _reaped(child)
            if code is not None:
                _signal_group(child, signal.SIGKILL)
                return code
        if watched[-1] in readable and not os.read(watched[-1], 4096):
            return _end_group(child)


def _become(cmd: Sequence[str]) -> None:
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for signum in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.execvp(cmd[0], cmd)
    except OSError as error:
        os.write(2, f"guard: cannot run {cmd[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(NOT_FOUND_EXIT_CODE)


def _end_group(child: int) -> int:
    _signal_group(child, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    code = _reaped(child)
    while code is None and time.monotonic() < deadline:
        time.sleep(0.02)
        code = _reaped(child)
    _signal_group(child, signal.SIGKILL)
    while code is None:
        time.sleep(0.005)
        code = _reaped(child)
    return code


def _reaped(child: int) -> int | None:
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid == 0:
        return None
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _signal_group(child: int, signum: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signum)


def main(argv: Sequence[str]) -> int:
    if len(argv) < 2 or argv[0] != "--":
        sys.stderr.write("usage: guard.py -- command [argument …]\n")
        return USAGE_EXIT_CODE
    return run(argv[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
