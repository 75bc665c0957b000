"""A folder of this machine that is a copy of the Data Docs in a bucket, and a server for looking at it."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

PREFIX = "data-docs/"
_AT_ONCE = 8  # downloads; boto3 keeps 10 connections
_MOST_PASSES = 5

OnProgress = Callable[[int, int], None]  # objects done, objects to do


def sync_docs(s3: Any, bucket: str, folder: Path, on_progress: OnProgress = lambda done, total: None) -> Path:
    """Make the folder a copy of the Data Docs in the bucket, and return its index page, which may be missing.

    Only what changed since the last time is fetched, and what is gone from the bucket goes here too. Runs may
    publish meanwhile: it is done when nothing more is to fetch, so every link leads somewhere.
    """
    for _ in range(_MOST_PASSES):
        if not _fetch_changes(s3, bucket, folder, on_progress):
            break
    return folder / "index.html"


def _fetch_changes(s3: Any, bucket: str, folder: Path, on_progress: OnProgress) -> int:
    """How many objects had changed."""
    folder.mkdir(parents=True, exist_ok=True)
    record = folder.with_name(f"{folder.name}.fetched.json")
    fetched: dict[str, str] = json.loads(record.read_text()) if record.exists() else {}
    there = _list_docs(s3, bucket)
    changed = [name for name, etag in there.items() if not _is_here(folder / name, fetched.get(name), etag)]
    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            waiting = {pool.submit(_fetch, s3, bucket, name, folder / name): name for name in changed}
            try:
                for done, future in enumerate(as_completed(waiting), start=1):
                    if etag := future.result():
                        fetched[waiting[future]] = etag
                    on_progress(done, len(changed))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        _remove_others(folder, set(there))
    finally:  # what was fetched before an interruption need not be fetched again
        kept = {name: etag for name, etag in fetched.items() if name in there}
        _write_whole(record, json.dumps(kept).encode())
    return len(changed)


def _list_docs(s3: Any, bucket: str) -> dict[str, str]:
    """The ETag of every page, asset and list, by its place under the prefix."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX)
    found = {
        entry["Key"].removeprefix(PREFIX): entry["ETag"]
        for page in pages
        for entry in page.get("Contents", [])
    }
    return {name: etag for name, etag in found.items() if _is_inside(name)}


def _is_inside(name: str) -> bool:
    """Whether it names a file in the folder: a key may be any text."""
    return bool(name) and not name.endswith("/") and not {"..", "."} & set(name.split("/")) and name[0] != "/"


def _is_here(path: Path, fetched: str | None, etag: str) -> bool:
    return fetched == etag and path.is_file()


def _fetch(s3: Any, bucket: str, name: str, path: Path) -> str | None:
    """The ETag of what was fetched, None if it is gone."""
    try:
        answer = s3.get_object(Bucket=bucket, Key=PREFIX + name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return None
        raise
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_whole(path, answer["Body"].read())
    return answer["ETag"]


def _write_whole(path: Path, body: bytes) -> None:
    """A file is there whole or not at all, whenever this is interrupted."""
    part = path.with_name(f"{path.name}.partial")
    part.write_bytes(body)
    part.replace(path)


def _remove_others(folder: Path, names: set[str]) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):  # what is inside a folder comes before it
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif PurePosixPath(path.relative_to(folder)).as_posix() not in names:
            path.unlink()


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Serve the folder to this machine alone while the block runs; yields the server's address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Pages, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


class _Pages(SimpleHTTPRequestHandler):
    """Pages only: no listings of folders, no log, and nothing that a browser would keep for another day."""

    def list_directory(self, path: Any) -> None:
        self.send_error(404)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        pass
