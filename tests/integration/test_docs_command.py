"""`make docs`: a copy of the docs zone on this machine, and words for what can go wrong."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from scripts.docs_mirror import PREFIX, serve_folder, sync_docs
from scripts.offline_aws.server import OfflineAws
from scripts.package import CHECKOUT

pytestmark = pytest.mark.slow

Put = Callable[[str, str], None]


@pytest.fixture
def bucket(client: Callable[..., Any], name: str) -> str:
    client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def put(client: Callable[..., Any], bucket: str) -> Put:
    """Put a page into the docs zone."""

    def put(page: str, text: str) -> None:
        client("s3").put_object(Bucket=bucket, Key=PREFIX + page, Body=text.encode())

    return put


@pytest.fixture
def s3(client: Callable[..., Any]) -> Iterator[Any]:
    """A client, with the keys of what it got in `.fetched`."""
    s3 = client("s3")
    s3.fetched = []

    def note(params: dict[str, Any], **_: Any) -> None:
        s3.fetched.append(params["Key"].removeprefix(PREFIX))

    s3.meta.events.register("provide-client-params.s3.GetObject", note)
    yield s3
    s3.meta.events.unregister("provide-client-params.s3.GetObject", note)


def files_in(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_folder_is_a_copy(s3: Any, bucket: str, put: Put, tmp_path: Path):
    """Pages, folders and all; runs and manifests beside the Data Docs are left where they are."""
    put("index.html", "the index")
    put("employee/2026-11-24/wr_1.html", "a run")
    s3.put_object(Bucket=bucket, Key="runs/employee/wr_1/gate.json", Body=b"{}")
    folder = tmp_path / "docs"

    assert sync_docs(s3, bucket, folder) == folder / "index.html"
    assert files_in(folder) == {"index.html": "the index", "employee/2026-11-24/wr_1.html": "a run"}


def test_only_what_changed_is_fetched(s3: Any, bucket: str, put: Put, tmp_path: Path):
    """The second time fetches changed, new and locally deleted pages, and takes away what is gone."""
    folder = tmp_path / "docs"
    for page in ("index.html", "a/old.html", "a/same.html", "a/lost.html"):
        put(page, page)
    sync_docs(s3, bucket, folder)
    s3.fetched.clear()
    put("index.html", "INDEX.HTML")  # as long as before
    put("b/new.html", "new")
    s3.delete_object(Bucket=bucket, Key=f"{PREFIX}a/old.html")
    (folder / "a" / "lost.html").unlink()
    sync_docs(s3, bucket, folder)

    assert sorted(s3.fetched) == ["a/lost.html", "b/new.html", "index.html"]
    assert files_in(folder) == {
        "index.html": "INDEX.HTML",
        "a/same.html": "a/same.html",
        "a/lost.html": "a/lost.html",
        "b/new.html": "new",
    }


def test_a_run_that_publishes_meanwhile_is_whole(s3: Any, bucket: str, put: Put, tmp_path: Path):
    """An index that is fetched after a run changed it brings the page of that run with it."""
    put("index.html", "old")

    def publish_once(done: int, total: int) -> None:
        if not (tmp_path / "published").exists():
            (tmp_path / "published").touch()
            put("employee/2026-11-24/wr_1.html", "a run")
            put("index.html", "new")

    sync_docs(s3, bucket, tmp_path / "docs", publish_once)

    assert files_in(tmp_path / "docs") == {"index.html": "new", "employee/2026-11-24/wr_1.html": "a run"}


def test_an_interrupted_copy_goes_on_where_it_was(s3: Any, bucket: str, put: Put, tmp_path: Path):
    """What was fetched before a Ctrl-C is not fetched again, and no file is half there."""
    for number in range(40):
        put(f"{number:02}.html", "x" * 10_000)

    def interrupt(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync_docs(s3, bucket, tmp_path / "docs", interrupt)
    s3.fetched.clear()
    sync_docs(s3, bucket, tmp_path / "docs")

    assert len(s3.fetched) <= 36
    assert set(files_in(tmp_path / "docs").values()) == {"x" * 10_000}
    assert len(files_in(tmp_path / "docs")) == 40


def test_no_key_leads_out_of_the_folder(s3: Any, bucket: str, put: Put, tmp_path: Path):
    """A key may be any text; one that is no path inside the folder is left out."""
    for page in ("index.html", "../outside.html", "a/../../outside.html", "/outside.html", "a/"):
        put(page, "text")
    sync_docs(s3, bucket, tmp_path / "docs")

    assert files_in(tmp_path / "docs") == {"index.html": "text"}
    assert not (tmp_path / "outside.html").exists()


def test_the_server_shows_pages_and_nothing_else(tmp_path: Path):
    """Pages are served to this machine only; folders are not listed."""
    (tmp_path / "employee").mkdir()
    (tmp_path / "index.html").write_text("the index")
    with serve_folder(tmp_path) as url:
        assert url.startswith("http://127.0.0.1:")
        with urlopen(url) as answer:
            assert answer.read() == b"the index"
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"{url}employee/")


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(offline_aws: OfflineAws, tmp_path: Path) -> tuple[list[str], dict[str, str]]:
    """The command of `make docs`, and an environ in which the offline AWS is the user's account."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environ |= {
        "AWS_ENDPOINT_URL": offline_aws.state.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": offline_aws.state.region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return [sys.executable, "-m", "scripts.docs", "--env", "dev", "--into", str(tmp_path / "docs")], environ


@pytest.fixture
def make_docs(command: tuple[list[str], dict[str, str]]) -> Run:
    def run(*options: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
        program, environ = command
        environ = {name: value for name, value in (environ | changes).items() if value is not None}
        return subprocess.run(
            [*program, "--no-serve", *options],
            cwd=CHECKOUT,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_no_serve_says_where_the_copy_is(make_docs: Run, bucket: str, put: Put, tmp_path: Path):
    """The last line is the index, as an address for a browser."""
    put("index.html", "the index")
    done = make_docs("--bucket", bucket)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == (tmp_path / "docs" / "dev" / "index.html").as_uri()


def test_it_serves_until_ctrl_c(
    command: tuple[list[str], dict[str, str]], bucket: str, put: Put, tmp_path: Path
):
    """The address it prints shows the index, and Ctrl-C ends it in order."""
    put("index.html", "the index")
    program, environ = command
    process = subprocess.Popen(
        [*program, "--bucket", bucket], cwd=CHECKOUT, env=environ, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        assert select.select([process.stdout], [], [], 60)[0]
        url = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
        assert url
        with urlopen(url[0]) as answer:
            assert answer.read() == b"the index"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


def deny_everybody(client: Callable[..., Any], bucket: str) -> None:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)


def test_what_goes_wrong_is_one_line(make_docs: Run, bucket: str, put: Put, client: Callable[..., Any]):
    """No docs, no bucket, no credentials, no access and no network each have their sentence."""
    said = {
        "no docs": make_docs("--bucket", bucket),
        "no bucket": make_docs("--bucket", f"{bucket}-other"),
        "no credentials": make_docs("--bucket", bucket, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None),
        "no network": make_docs(
            "--bucket", bucket, AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1"
        ),
    }
    put("index.html", "the index")  # the offline AWS denies objects, not listings
    deny_everybody(client, bucket)
    said["no access"] = make_docs("--bucket", bucket)
    lines = {case: done.stderr.strip() for case, done in said.items()}

    assert {done.returncode for done in said.values()} == {1}
    assert {case: line for case, line in lines.items() if "\n" in line} == {}
    assert lines["no docs"] == f"There are no Data Docs in s3://{bucket} yet: no batch was judged."
    assert "apply the stack first" in lines["no bucket"]
    assert "Sign in, or set AWS_PROFILE" in lines["no credentials"]
    assert lines["no network"].startswith("S3 cannot be reached: ")
    assert "kms:Decrypt" in lines["no access"]


def test_an_environment_that_was_not_applied_is_told(make_docs: Run):
    """Without a bucket's name, and without a state that holds it, the next step is named."""
    done = make_docs()

    assert done.returncode == 1
    assert re.search(r"`terraform init`|apply the stack first", done.stderr)
    assert "\n" not in done.stderr.strip()
