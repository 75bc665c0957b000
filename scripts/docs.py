"""Data Docs on this machine: `make docs` copies them from the docs zone and opens the index."""

import shutil
import sys
import webbrowser
from pathlib import Path
from typing import Any

import typer

from scripts.offline_machine import STATE_DIR, Machine, find_machine, forget_own_account

_PREFIX = "data-docs/"


def sync_docs(machine: Machine, bucket: str) -> Path:
    """Make the machine's docs_dir a copy of the docs zone, and return its index page."""
    s3: Any = machine.client("s3")
    shutil.rmtree(machine.docs_dir, ignore_errors=True)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=_PREFIX):
        for entry in page.get("Contents", []):
            target = machine.docs_dir / entry["Key"].removeprefix(_PREFIX)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
    return machine.docs_dir / "index.html"


def main() -> None:
    """Show the index of the Data Docs: of the machine that is up, else those of the last demo."""
    forget_own_account()
    index = STATE_DIR / "docs" / "index.html"
    if (machine := find_machine()) and (outputs := machine.terraform().outputs()):
        index = sync_docs(machine, outputs["buckets"]["docs"])
    if not index.exists():
        sys.exit("There are no Data Docs yet. `make demo` makes some.")
    typer.echo(index.as_uri())
    if sys.stdout.isatty():
        webbrowser.open(index.as_uri())


if __name__ == "__main__":
    typer.run(main)
