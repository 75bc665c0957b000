"""Requests of our own, beside AWS's: `POST /lakegate-offline/…`, JSON in, JSON out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

Handler = Callable[[re.Match[str], dict[str, Any]], dict[str, Any]]


class Refused(Exception):
    """What was asked for cannot be done; the message says why."""


_handlers: dict[re.Pattern[str], Handler] = {}
_dispatch_in_moto = DomainDispatcherApplication.__call__


def answer_at(path: re.Pattern[str], handler: Handler) -> None:
    """Let `handler` answer requests to paths that match, with the JSON it was sent ({} if none)."""
    _handlers[path] = handler
    DomainDispatcherApplication.__call__ = _dispatch


def _dispatch(
    self: DomainDispatcherApplication, environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    path = environ.get("PATH_INFO", "")
    found = ((match, handler) for pattern, handler in _handlers.items() if (match := pattern.fullmatch(path)))
    match, handler = next(found, (None, None))
    if match is None or handler is None or environ["REQUEST_METHOD"] != "POST":
        return _dispatch_in_moto(self, environ, start_response)
    try:
        sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, answer = "200 OK", handler(match, json.loads(sent or b"{}"))
    except (Refused, ValueError) as reason:
        status, answer = "409 Conflict", {"error": str(reason)}
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]
