"""Terraform's requests whose answers got lost, answered again.

On a busy machine about one answer in ten thousand does not reach Terraform's provider, though it was sent.
The AWS SDK then sends the request again, and what it was to create exists already. An SDK names all tries
of one request alike, so the answer of the first is given to the others. Only to Terraform: jobs and Lambdas
have to bear a lost answer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

_TERRAFORM = "terraform-provider-aws/"
_MOST = 500  # a try follows the one before within seconds

Answer = tuple[str, list[tuple[str, str]], bytes]


class AnswersAgain:
    """WSGI middleware. Refusals are not kept: a try that follows one of those is meant to do better."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        invocation = environ.get("HTTP_AMZ_SDK_INVOCATION_ID", "")
        if not invocation or _TERRAFORM not in environ.get("HTTP_USER_AGENT", ""):
            return self._app(environ, start_response)
        with self._lock:
            known = self._answers.get(invocation)
        status, headers, body = known or self._first(invocation, environ)
        start_response(status, headers)
        return [body]

    def _first(self, invocation: str, environ: dict[str, Any]) -> Answer:
        head: list[tuple[str, list[tuple[str, str]]]] = []

        def keep(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
            head.append((status, headers))

        body = b"".join(self._app(environ, keep))
        status, headers = head[-1]
        if status.startswith("2"):
            with self._lock:
                self._answers[invocation] = (status, headers, body)
                while len(self._answers) > _MOST:
                    self._answers.popitem(last=False)
        return status, headers, body
