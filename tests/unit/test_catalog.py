"""The catalog that the jobs open, and the credentials with which data files are read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pyiceberg.io import load_file_io

from etl.aws.catalog import open_catalog


@pytest.fixture
def signers() -> Iterator[tuple[str, list[str]]]:
    """An endpoint, and the access keys by which the requests that it got are signed."""
    keys: list[str] = []

    class NoSuchKey(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            keys.append(self.headers["Authorization"].partition("Credential=")[2].partition("/")[0])
            self.send_error(404)

        do_GET = do_HEAD  # noqa: N815  the name that http.server looks for

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), NoSuchKey)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}", keys
    server.shutdown()
    server.server_close()


def test_data_files_are_read_with_the_credentials_of_the_moment(
    signers: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
):
    """A merge that takes longer than the session of its role goes on with the next one."""
    endpoint, keys = signers
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "FIRST")
    files = load_file_io(open_catalog(endpoint).properties, "s3://lake/employee")
    for key in ("FIRST", "SECOND"):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        assert not files.new_input("s3://lake/employee/0.parquet").exists()

    assert list(dict.fromkeys(keys)) == ["FIRST", "SECOND"]
