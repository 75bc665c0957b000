"""The Data Docs of an environment, on this machine: `make docs`, `make docs ENV=dev`."""

import sys
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import boto3
import typer
from botocore import exceptions as aws
from rich.console import Console
from rich.progress import Progress

from scripts.docs_mirror import OnProgress, serve_folder, sync_docs
from scripts.offline_machine import STATE_DIR, find_machine, forget_own_account
from scripts.package import CHECKOUT
from scripts.terraform import Environment, TerraformFailed, read_outputs

_DOCS_DIR = CHECKOUT / "build" / "docs"
_PATIENCE_SECONDS = 2.0


class DocsUnavailable(Exception):
    """The message says what to do, in one line; it is for people."""


def main(
    env: Annotated[Environment, typer.Option(help="Whose Data Docs.")] = Environment.LOCAL,
    bucket: Annotated[
        str | None, typer.Option(help="The docs zone; else Terraform's state of the environment names it.")
    ] = None,
    into: Annotated[Path, typer.Option(help="Where the copies of dev and prod are kept.")] = _DOCS_DIR,
    state_dir: Annotated[Path, typer.Option(help="Where the offline machine keeps its files.")] = STATE_DIR,
    serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve them until Ctrl-C, or just say where they are.")
    ] = True,
) -> None:
    """Copy the Data Docs of an environment to this machine and show them."""
    try:
        index = (
            _fetch_local(state_dir) if env is Environment.LOCAL else _fetch_remote(env, bucket, into / env)
        )
    except (DocsUnavailable, TerraformFailed) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Interrupted. What was fetched stays; the next time fetches the rest.")
    if serve:
        _show(index)
    else:
        typer.echo(index.as_uri())


def _fetch_local(state_dir: Path) -> Path:
    """Of the machine that is up, else those of the last demo. The user's own AWS account is not meant."""
    forget_own_account()
    index = state_dir / "docs" / "index.html"
    if (machine := find_machine(state_dir)) and (outputs := machine.terraform().outputs()):
        bucket = outputs["buckets"]["docs"]
        with _explained(bucket), _progress() as on_progress:
            index = sync_docs(machine.client("s3"), bucket, machine.docs_dir, on_progress)
    if not index.exists():
        raise DocsUnavailable("There are no Data Docs yet: no batch was judged. `make demo` judges some.")
    return index


def _fetch_remote(env: Environment, bucket: str | None, folder: Path) -> Path:
    bucket = bucket or _bucket_of(env)
    with _explained(bucket), _progress() as on_progress:
        index = sync_docs(boto3.client("s3"), bucket, folder, on_progress)
    if not index.exists():
        raise DocsUnavailable(f"There are no Data Docs in s3://{bucket} yet: no batch was judged.")
    return index


def _bucket_of(env: Environment) -> str:
    try:
        return read_outputs(env)["buckets"]["docs"]
    except TerraformFailed as error:
        raise DocsUnavailable(f"{error} Or name the bucket by --bucket.") from None
    except KeyError:
        raise DocsUnavailable(
            f"Terraform's state of {env} names no docs zone: apply the stack first, or name one by --bucket."
        ) from None


@contextmanager
def _explained(bucket: str) -> Iterator[None]:
    """Turn what AWS can answer into one line that says what to do."""
    try:
        yield
    except aws.ClientError as error:
        code = error.response["Error"]["Code"]
        raise DocsUnavailable(
            _REFUSALS.get(code, "S3 refused to read {bucket}: {code}.").format(
                bucket=f"s3://{bucket}", code=code
            )
        ) from error
    except (aws.ConnectionError, aws.HTTPClientError) as error:
        raise DocsUnavailable(f"S3 cannot be reached: {error}") from error
    except aws.ParamValidationError as error:
        raise DocsUnavailable(f"{bucket!r} is no name of a bucket.") from error
    except aws.BotoCoreError as error:  # all others are about credentials and settings
        raise DocsUnavailable(
            f"There are no AWS credentials to read s3://{bucket} with ({error}). "
            "Sign in, or set AWS_PROFILE, and try again."
        ) from error


_DENIED = (
    "Access to {bucket} was denied ({code}): it takes s3:ListBucket and s3:GetObject on the bucket, and "
    "kms:Decrypt on its key."
)
_NOT_ACCEPTED = "AWS does not accept these credentials ({code}). Sign in again and try again."
_REFUSALS = {
    "AccessDenied": _DENIED,
    "403": _DENIED,
    "ExpiredToken": _NOT_ACCEPTED,
    "InvalidAccessKeyId": _NOT_ACCEPTED,
    "InvalidToken": _NOT_ACCEPTED,
    "SignatureDoesNotMatch": _NOT_ACCEPTED,
    "NoSuchBucket": "There is no {bucket}: apply the stack first, or name another bucket by --bucket.",
}


@contextmanager
def _progress() -> Iterator[OnProgress]:
    """A bar on a terminal, from when it takes longer than people wait without asking."""
    started = time.monotonic()
    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task("Fetching Data Docs")

    def tell(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)
        if time.monotonic() - started > _PATIENCE_SECONDS and bar.console.is_terminal:
            bar.start()  # once; again it does nothing

    try:
        yield tell
    finally:
        if bar.live.is_started:  # else it would print an empty line
            bar.stop()


def _show(index: Path) -> None:
    """Serve the folder until Ctrl-C; on a terminal, open a browser on it."""
    with serve_folder(index.parent) as url:
        typer.echo(f"Data Docs: {url} (Ctrl-C stops)")
        if sys.stdout.isatty():
            webbrowser.open(url)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            typer.echo()


if __name__ == "__main__":
    typer.run(main)
