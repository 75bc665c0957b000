"""Run Glue job scripts in processes forked from this one, which has imported what they need.

A request is a line of JSON on stdin: id, script, arguments, environment, folder. Answers are lines on stdout:
`{"id", "pid"}` when the process is there and `{"id", "exit"}` when it has ended, by a signal as -n. It writes
`out`, `err` and, as Glue's runner does, `error` into its folder.

What threads and clients a job needs it makes itself: here are none, for they would not survive a fork.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
import time
from pathlib import Path
from typing import Any

from scripts.torture.feed import expectations

RUNTIME = Path(__file__).parents[1] / "offline_aws" / "glue_runtime"
WAITS_TAKE = 0.02
"""Of the time between two attempts; what is tried is what is done, not how long it takes."""


def main() -> None:
    _import_all()
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: dict[int, int] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(wake_read, selectors.EVENT_READ)
        _tell({"ready": True})
        unread = b""
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if 0 in ready:
                read = os.read(0, 1 << 16)
                if not read:
                    return
                *lines, unread = (unread + read).split(b"\n")
                for line in lines:
                    request = json.loads(line)
                    pid = os.fork()
                    if pid == 0:
                        signal.set_wakeup_fd(-1)
                        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                        _run(request)
                    running[pid] = request["id"]
                    _tell({"id": request["id"], "pid": pid})
            if wake_read in ready:
                os.read(wake_read, 1 << 16)
            while running and (ended := os.waitpid(-1, os.WNOHANG))[0]:
                _tell({"id": running.pop(ended[0]), "exit": os.waitstatus_to_exitcode(ended[1])})


def _import_all() -> None:
    """And what jobs read of the disk: what is left for each is to talk to AWS."""
    sys.path[:0] = [str(RUNTIME)]
    import awsglue.utils  # noqa: F401
    import boto3
    import botocore.session
    import pyiceberg.io.pyarrow  # noqa: F401

    import etl.glue_jobs.entry  # noqa: F401
    from etl.contract import load_contract
    from etl.quality.data_docs import static_assets
    from etl.quality.rehearsal import rehearse
    from etl.quality.suite import load_suite

    # Great Expectations imports much of itself when it validates.
    contract = load_contract(expectations()["employee/contract.yaml"].decode(), "contract.yaml")
    rehearse(load_suite(expectations()["employee/suite.json"].decode(), "suite.json", contract), contract)
    static_assets()
    # Sessions read the descriptions of the services each for themselves, which takes longer than the calls.
    loader = botocore.loaders.create_loader()
    botocore.session.create_loader = lambda search_path_string=None: loader
    for service in ("s3", "glue", "sns", "cloudwatch"):
        boto3.Session("key", "secret", region_name="us-east-1").client(service)


def _run(request: dict[str, Any]) -> None:
    """In the new process; never returns."""
    import runner  # Glue's, from RUNTIME

    code = 70
    try:
        folder = Path(request["folder"])
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.clear()
        os.environ.update(request["environment"])
        wait = time.sleep
        time.sleep = lambda seconds: wait(seconds * WAITS_TAKE)
        code = runner.main(str(folder / "error"), request["script"], request["arguments"])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _tell(message: dict[str, Any]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
