"""Data Docs on this machine: `make docs` copies them from the docs zone and opens the index."""

import shutil
import sys
import webbrowser
from typing import Any

import typer

from scripts.offline_machine import Machine, find_machine
from scripts.package import CHECKOUT

DOCS_DIR = CHECKOUT / "build" / "docs"
_PREFIX = "data-docs/"


def sync_docs(machine: Machine, bucket: str) -> None:
    """Make DOCS_DIR a copy of the docs zone."""
    shutil.rmtree(DOCS_DIR, ignore_errors=True)
    s3: Any = machine.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=_PREFIX):
        for entry in page.get("Contents", []):
            target = DOCS_DIR / entry["Key"].removeprefix(_PREFIX)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())


def main() -> None:
    """Show the index of the Data Docs: of the machine that is up, else those of the last demo."""
    if machine := find_machine():
        sync_docs(machine, machine.terraform().outputs()["buckets"]["docs"])
    index = DOCS_DIR / "index.html"
    if not index.exists():
        sys.exit("There are no Data Docs yet. `make demo` makes some.")
    typer.echo(index.as_uri())
    if sys.stdout.isatty():
        webbrowser.open(index.as_uri())


if __name__ == "__main__":
    typer.run(main)
