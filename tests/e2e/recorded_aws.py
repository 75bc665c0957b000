"""The offline AWS, with all that is said to it and answered by it written to a file.

    RECORD=FILE python -m tests.e2e.recorded_aws --port 0 --state-dir DIR

The file has a line of JSON per exchange: {"role", "request", "parts"}, the parts being the headers and
the body that were sent and the headers and the body that were answered, their bytes as Latin-1. The role is
the one of whoever asked, empty for the administrator. What may hold names is left out: of the raw zone all
but who asked for which dataset, since file names are the sender's, and the bodies of the objects of the
processed and the quarantine zone.
"""

import io
import json
import os
import re
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import typer
from moto.sts.models import sts_backends

from scripts.offline_aws import server
from scripts.offline_aws.__main__ import main

_RAW = re.compile(r"/[a-z-]+-raw-\d{12}(/|$|\?)")
_FILE_IN_RAW = re.compile(r"(?P<bucket>/[a-z-]+-raw-\d{12}/)[^?]+\??(?P<query>.*)")
_ACCESS_KEY = re.compile(r"Credential=(\w+)/")
_OBJECT_WITH_ROWS = re.compile(r"/[a-z-]+-(processed|quarantine)-\d{12}/[^?]")

Environ = dict[str, Any]


class Recorder:
    """WSGI middleware; one exchange is written at a time."""

    def __init__(self, app: Callable[..., Iterable[bytes]], path: Path):
        self._app, self._file = app, path.open("w", encoding="utf-8")
        self._one_at_a_time = threading.Lock()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        sent = _body(environ)
        head: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            head[:] = [status, *(f"{name}: {value}" for name, value in headers)]
            return start_response(status, headers, *rest)

        answered = b"".join(self._app(environ, start))
        self._write(environ, sent, head, answered)
        return [answered]

    def _write(self, environ: Environ, sent: bytes, head: list[str], answered: bytes) -> None:
        url, role = environ.get("RAW_URI") or environ["PATH_INFO"], _role(environ)
        if _RAW.match(url):
            if role:
                self._note(role, f"{environ['REQUEST_METHOD']} {_without_file(url)}", ())
            return
        if _OBJECT_WITH_ROWS.match(url):
            sent = answered = b""
        headers = "\n".join(f"{name}: {value}" for name, value in environ.items() if name.startswith("HTTP_"))
        parts = (headers.encode(), sent, "\n".join(head).encode(), answered)
        request = f"{environ['REQUEST_METHOD']} {url} {environ.get('HTTP_X_AMZ_TARGET', '')}"
        self._note(role, request.strip(), parts)

    def _note(self, role: str, request: str, parts: Iterable[bytes]) -> None:
        entry = {"role": role, "request": request, "parts": [part.decode("latin-1") for part in parts]}
        with self._one_at_a_time:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()


def _role(environ: Environ) -> str:
    """The name of the role whose credentials signed the request."""
    key = _ACCESS_KEY.search(environ.get("HTTP_AUTHORIZATION", ""))
    assumed = key and sts_backends[server.ACCOUNT_ID]["aws"].get_assumed_role_from_access_key(key[1])
    return assumed.role_arn.rpartition("/")[2] if assumed else ""


def _without_file(url: str) -> str:
    """The URL of a file of the raw zone with no more of its key than the dataset; of a listing as it is."""
    found = _FILE_IN_RAW.fullmatch(url)
    dataset = url.split("/")[2] if found else ""
    return f"{found['bucket']}{dataset}/file?{found['query']}" if found else url


def _body(environ: Environ) -> bytes:
    """The request's body, which the application can still read."""
    stream = environ["wsgi.input"]
    body = stream.read() if environ.get("wsgi.input_terminated") else stream.read(_length(environ))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _length(environ: Environ) -> int:
    return int(environ.get("CONTENT_LENGTH") or 0)


if __name__ == "__main__":
    moto_app = server._moto_app
    server._moto_app = lambda state: Recorder(moto_app(state), Path(os.environ["RECORD"]))
    typer.run(main)
