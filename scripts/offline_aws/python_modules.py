"""`--additional-python-modules`, as far as it goes without a package index.

Wheels in S3 are unpacked. A module named by its distribution, as pip would fetch it from PyPI, must be
installed in the interpreter that runs the server, in a version that the requirement allows: the offline
Glue runtime is that interpreter.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement


class ModulesUnavailable(Exception):
    """A module that the job asks for cannot be provided."""


def provide_modules(
    modules: str, read: Callable[[str], bytes], unpack: Callable[[bytes], Path]
) -> list[Path]:
    """The folders to put on PYTHONPATH for the comma separated `modules`, in their order.

    `read` answers an S3 URI's bytes, `unpack` the folder that a wheel was unpacked to.
    """
    return list(_provided(modules.split(","), read, unpack))


def _provided(
    entries: list[str], read: Callable[[str], bytes], unpack: Callable[[bytes], Path]
) -> Iterator[Path]:
    for entry in filter(None, (entry.strip() for entry in entries)):
        if not entry.startswith("s3://"):
            _require_installed(entry)
        elif entry.endswith(".whl"):
            yield _unpacked(entry, read(entry), unpack)
        elif entry.endswith(".zip"):  # Glue 5 takes a zip of wheels, its dependencies with it
            with zipfile.ZipFile(io.BytesIO(read(entry))) as wheels:
                for name in sorted(name for name in wheels.namelist() if name.endswith(".whl")):
                    yield _unpacked(name, wheels.read(name), unpack)
        elif entry.endswith(".txt"):
            lines = read(entry).decode().splitlines()
            yield from _provided([_without_comment(line) for line in lines], read, unpack)
        else:
            raise ModulesUnavailable(f"{entry} is neither a wheel, a zip of wheels nor a requirements file")


def _unpacked(name: str, wheel: bytes, unpack: Callable[[bytes], Path]) -> Path:
    try:
        return unpack(wheel)
    except zipfile.BadZipFile:
        raise ModulesUnavailable(f"{name} is not a valid wheel") from None


def _without_comment(line: str) -> str:
    line = line.split(" #")[0].strip()
    return "" if line.startswith(("#", "-")) else line.rstrip("\\").strip()


def _require_installed(entry: str) -> None:
    try:
        requirement = Requirement(entry)
    except InvalidRequirement:
        raise ModulesUnavailable(f"{entry} is not a requirement that pip understands") from None
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        raise ModulesUnavailable(
            f"{entry} is not installed where the offline AWS runs; on Glue pip would fetch it"
        ) from None
    if not requirement.specifier.contains(found, prereleases=True):
        raise ModulesUnavailable(f"{entry} is asked for, {found} is installed where the offline AWS runs")
