"""A layer before the offline AWS that counts the calls of each process, and interferes with some of them.

A process is known by its access key, with which boto3 and Arrow's S3 client both sign.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from scripts.torture.points import Effect

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]

_CREDENTIAL = re.compile(r"Credential=([^/]+)/[^/]+/[^/]+/([^/]+)/")
_REFUSALS = {
    Effect.THROTTLED: {
        "s3": (503, "SlowDown"),
        "query": (400, "Throttling"),
        "": (400, "ThrottlingException"),
    },
    Effect.ERROR_500: {
        "s3": (500, "InternalError"),
        "query": (500, "InternalFailure"),
        "": (500, "InternalFailure"),
    },
    Effect.ERROR_503: {"": (503, "ServiceUnavailable")},
}


@dataclass(frozen=True, slots=True)
class Call:
    caller: str
    service: str
    method: str
    path: str
    target: str

    @classmethod
    def of(cls, environ: dict[str, Any]) -> Call:
        found = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
        caller, service = found.groups() if found else ("", "")
        target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        return cls(caller, service, environ["REQUEST_METHOD"], environ["PATH_INFO"], target)

    def __str__(self) -> str:
        return f"{self.service} {self.target or self.method + ' ' + self.path}"


@dataclass(slots=True)
class Plan:
    """What happens to the calls `first` to `last` of one process; `calls` are those it made."""

    effect: Effect | None = None
    first: int = 0
    last: int = 0
    calls: list[Call] = field(default_factory=list)
    pid: int = 0
    has_pid: threading.Event = field(default_factory=threading.Event)
    is_held: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


class Interference:
    """WSGI middleware. `plans` are by access key; `changed` hears of each call by a planned process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.plans: dict[str, Plan] = {}
        self.changed: Callable[[Call], None] = lambda call: None

    def around(self, app: WsgiApp) -> WsgiApp:
        self._app = app
        return self

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        call = Call.of(environ)
        plan = self.plans.get(call.caller)
        if plan is None:
            return self._app(environ, start_response)
        with self._lock:
            plan.calls.append(call)
            number = len(plan.calls)
        effect = plan.effect if plan.first <= number <= plan.last else None
        if effect in _REFUSALS:
            return refuse(call, effect, environ, start_response)
        if effect is Effect.RESET:
            drop(environ, abruptly=True)
        if effect is Effect.KILL_BEFORE:
            _kill(plan)
            drop(environ)
        if effect in (Effect.HELD_FOR_RETRY, Effect.HELD_FOR_BACKFILL):
            plan.is_held.set()
            plan.released.wait(60)
        answer = list(self._app(environ, start_response))
        self.changed(call)
        if effect is Effect.KILL_AFTER:
            _kill(plan)
        if effect in (Effect.KILL_AFTER, Effect.LOST_ANSWER):
            drop(environ)
        return answer


def _kill(plan: Plan) -> None:
    plan.has_pid.wait(10)
    with contextlib.suppress(ProcessLookupError):  # a second thread of the process was here before
        os.kill(plan.pid, signal.SIGKILL)


def drop(environ: dict[str, Any], *, abruptly: bool = False) -> None:
    """Close the connection without an answer; `abruptly` sends a reset in place of an orderly end."""
    connection: socket.socket = environ["werkzeug.socket"]
    if abruptly:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with socket.socketpair()[0] as at_its_end:  # takes the place of what is closed here
            os.dup2(at_its_end.fileno(), connection.fileno())
    else:
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError


def refuse(call: Call, effect: Effect, environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """AWS's refusal in the words of the service's protocol."""
    content_type = environ.get("CONTENT_TYPE", "")
    protocol = call.service if call.service == "s3" else "query" if "urlencoded" in content_type else ""
    status, code = _REFUSALS[effect].get(protocol, _REFUSALS[effect][""])
    if protocol:
        answered, error = "application/xml", f"<Code>{code}</Code><Message>Injected.</Message>"
        body = f"<Error>{error}</Error>"
        if protocol == "query":
            body = f"<ErrorResponse>{body}<RequestId>0</RequestId></ErrorResponse>"
        encoded = body.encode()
    elif "cbor" in content_type:
        answered, encoded = (
            "application/cbor",
            b"\xa2" + b"".join(map(_cbor, ("__type", code, "message", "Injected."))),
        )
    else:
        answered, encoded = (
            "application/x-amz-json-1.1",
            f'{{"__type":"{code}","message":"Injected."}}'.encode(),
        )
    if environ["REQUEST_METHOD"] == "HEAD":
        encoded = b""
    headers = [("Content-Type", answered), ("Content-Length", str(len(encoded))), ("x-amzn-RequestId", "0")]
    if "cbor" in content_type:
        headers.append(("smithy-protocol", "rpc-v2-cbor"))
    start_response(f"{status} Injected", headers)
    return [encoded]


def _cbor(text: str) -> bytes:
    """A text of less than 24 bytes."""
    return bytes([0x60 + len(text)]) + text.encode()
