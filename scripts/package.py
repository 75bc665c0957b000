"""Build what Terraform uploads: the wheel of `etl` for the Glue jobs with what it needs, and the Lambda zip.

The datasets, which Terraform takes from the checkout as they are, are checked first. Their checksum is left
for it, and it refuses others.

    python -m scripts.package --out build/artifacts

All are byte for byte the same for the same sources, so that an unchanged checkout plans no change.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from scripts.glue_wheels import WheelsUnavailable, build_glue_wheels

CHECKOUT = Path(__file__).resolve().parent.parent
ARTIFACTS = CHECKOUT / "build" / "artifacts"
GLUE_WHEELS = CHECKOUT / "build" / "glue-wheels"
EXPECTATIONS = CHECKOUT / "expectations"
LAMBDA_ZIP = "lakegate-lambdas.zip"
CHECKED = "expectations.sha256"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold


class PackagingFailed(Exception):
    pass


def build_artifacts(out: Path) -> None:
    """Fill `out` with one wheel, the Lambda zip and the checksum of the datasets; bad ones leave it empty.

    Raises PackagingFailed.
    """
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    check_datasets(EXPECTATIONS)
    _build_wheel(out)
    _build_lambda_zip(out / LAMBDA_ZIP)
    (out / CHECKED).write_text(checksum(EXPECTATIONS) + "\n")


def add_glue_wheels(out: Path, on_progress: Callable[[int, int], None]) -> None:
    """Lay what the wheel needs beside it, for an AWS account; offline, jobs use what is installed here.

    Raises PackagingFailed.
    """
    try:
        built = build_glue_wheels(CHECKOUT / "requirements" / "runtime.txt", GLUE_WHEELS, on_progress)
    except WheelsUnavailable as error:
        raise PackagingFailed(str(error)) from None
    shutil.copyfile(built, out / built.name)


def check_datasets(expectations: Path) -> None:
    """In a process of its own, since Great Expectations takes seconds and much memory to import.

    Raises PackagingFailed with every problem.
    """
    command = [sys.executable, "-m", "scripts.check_dataset", "--expectations", str(expectations)]
    checked = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if checked.returncode:
        raise PackagingFailed(f"nothing is deployed until this is mended:\n{checked.stderr.rstrip()}")


def checksum(expectations: Path) -> str:
    """Of the files that Terraform uploads, as terraform/modules/storage/variables.tf computes it."""
    found = (path for path in expectations.rglob("*") if path.suffix in {".yaml", ".json"} and path.is_file())
    files = {path.relative_to(expectations).as_posix(): path for path in found}
    lines = (f"{hashlib.sha256(files[name].read_bytes()).hexdigest()}  {name}\n" for name in sorted(files))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _build_wheel(out: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    built = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if built.returncode:
        raise PackagingFailed(f"the wheel could not be built:\n{built.stdout}{built.stderr}")


def _build_lambda_zip(path: Path) -> None:
    """The whole package: the handlers import only those of its modules that need no other package."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for source in sorted((CHECKOUT / "etl").rglob("*.py")):
            entry = zipfile.ZipInfo(source.relative_to(CHECKOUT).as_posix(), _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, source.read_bytes())


def main(out: Annotated[Path, typer.Option(help="Folder to fill; emptied first.")] = ARTIFACTS) -> None:
    """Check the datasets, then build all that an AWS account gets."""
    try:
        build_artifacts(out)
        with Console(stderr=True).status("Fetching what the Glue jobs install") as status:
            add_glue_wheels(out, lambda begun, wanted: status.update(f"Fetching wheels: {begun} of {wanted}"))
    except PackagingFailed as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    for path in sorted(out.iterdir()):
        typer.echo(f"{path.stat().st_size:>10,} bytes  {os.path.relpath(path)}")


if __name__ == "__main__":
    typer.run(main)
