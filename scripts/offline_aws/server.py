"""One process: moto's server with every extension in place before the first request is answered."""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from werkzeug.serving import BaseWSGIServer, make_server

from scripts.offline_aws.lost_answers import AnswersAgain
from scripts.offline_aws.state import ServerState

HOST = "127.0.0.1"
ACCOUNT_ID = "123456789012"

SERVICES = (
    "glue_catalog",
    "glue_control",
    "lake_formation",
    "s3",
    "sqs",
    "sns",
    "cloudwatch",
    "budgets",
    "logs",
    "service_metrics",
    "athena_control",
    "lambda_control",
    "crawler",
    "glue_jobs",
    "workflows",
    "lambda_runtime",
    "events",
    "event_replays",
    "scheduler",
    "athena",
    "alarms",
)
"""The modules of this package whose `install(state)` extends moto, in this order."""

log = logging.getLogger("offline_aws")


class PortTaken(Exception):
    """Another process listens on the port that was asked for."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.port = port

    def __str__(self) -> str:
        return f"Port {self.port} on {HOST} is taken: choose another, or 0 for any free one."


class StateDirTaken(Exception):
    """Another offline AWS keeps its files in the same folder."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(state_dir)
        self.state_dir = state_dir

    def __str__(self) -> str:
        return f"Another offline AWS is running in {self.state_dir}: stop it, or choose another --state-dir."


class OfflineAws:
    """A running server. moto's state is the process's, so there is at most one in a process."""

    def __init__(self, state_dir: Path, port: int = 0, region: str = "us-east-1") -> None:
        state_dir = state_dir.resolve()
        state_dir.mkdir(parents=True, exist_ok=True)
        self._lock = _lock_state_dir(state_dir)
        # The port is bound first: extensions need the endpoint, and nobody can take it meanwhile.
        self._server = _bind(port)
        self.port: int = self._server.port
        self.state = ServerState(state_dir, f"http://{HOST}:{self.port}", region, ACCOUNT_ID)
        self._thread = threading.Thread(target=self._server.serve_forever, name="offline-aws", daemon=True)

    @property
    def endpoint_file(self) -> Path:
        """Written once the server answers, removed when it stops: {"endpoint", "pid", "port"}."""
        return self.state.state_dir / "endpoint.json"

    def start(self, around: Callable[[Any], Any] = lambda app: app) -> None:
        """`around` may put a layer before the WSGI application, which then sees every request."""
        self.endpoint_file.unlink(missing_ok=True)
        self._server.app = around(AnswersAgain(_moto_app(self.state)))
        self._thread.start()
        facts = {"endpoint": self.state.endpoint, "pid": os.getpid(), "port": self.port}
        partial = self.endpoint_file.with_suffix(".partial")
        partial.write_text(json.dumps(facts))
        partial.replace(self.endpoint_file)
        log.info("answering at %s", self.state.endpoint)

    def stop(self) -> None:
        self.endpoint_file.unlink(missing_ok=True)
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()
        self._lock.close()
        log.info("stopped")


def _moto_app(state: ServerState) -> Any:
    # moto reads these when it is imported or first used.
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    os.environ["MOTO_ACCOUNT_ID"] = state.account_id
    os.environ["MOTO_PORT"] = state.endpoint.rpartition(":")[2]
    from moto import backends
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    # moto lists the folders of its package twice for each request, a quarter of what a request takes.
    modules = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules
    for service in SERVICES:
        importlib.import_module(f"{__package__}.{service}").install(state)
    return DomainDispatcherApplication(create_backend_app)


def log_to_file(state_dir: Path) -> None:
    """Send the server's and moto's log, one line a request, to logs/server.log."""
    folder = state_dir / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(folder / "server.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    for name, level in (("offline_aws", logging.INFO), ("werkzeug", logging.INFO), ("", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.setLevel(level)
    logging.getLogger().addHandler(handler)


def _bind(port: int) -> BaseWSGIServer:
    from moto.moto_server.werkzeug_app import MotoRequestHandler

    class TimedRequestHandler(MotoRequestHandler):
        """Logs the operation and how long it took, which an AWS request's path does not tell."""

        def handle_one_request(self) -> None:
            self._started = time.monotonic()
            super().handle_one_request()

        def parse_request(self) -> bool:
            self._started = time.monotonic()  # not when the kept-alive connection began to wait
            return super().parse_request()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            operation = self.headers.get("X-Amz-Target", "") if hasattr(self, "headers") else ""
            took_ms = (time.monotonic() - self._started) * 1000
            logging.getLogger("werkzeug").info(
                "%s %s %s %s %.0fms", self.command, self.path, operation, code, took_ms
            )

    # werkzeug prints and exits when the port is taken; a probe first keeps the message ours.
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise PortTaken(port) from error
        listener.listen(128)
        listener.set_inheritable(False)
        return make_server(
            HOST,
            listener.getsockname()[1],
            app=_not_ready,
            threaded=True,
            request_handler=TimedRequestHandler,
            fd=listener.fileno(),  # werkzeug duplicates it
        )


def _not_ready(environ: dict, start_response: Any) -> list[bytes]:
    start_response("503 Service Unavailable", [])
    return []


def _lock_state_dir(state_dir: Path) -> IO[str]:
    """An flock, which the kernel drops with the process: a killed server leaves no lock behind."""
    lock = (state_dir / "server.lock").open("w")
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(lock.close)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateDirTaken(state_dir) from error
        on_failure.pop_all()
    return lock
