"""The zip of wheels that the Glue jobs install on AWS: nothing is resolved from the internet at run time.

It holds what requirements/runtime.txt pins, for the machine that Glue 5.1 is, and pip compares each wheel
with its hash in the lock. The form is that of "zip of wheels" in
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html: a name that ends in
.gluewheels.zip, and in it a folder `wheels` with the wheels and a requirements.txt.

Glue 5.1 has many of these packages itself, most of them older (pandas 2.3, pyarrow 22, numpy 2.3, boto3
1.40). All are shipped all the same: what runs there is then what the tests ran with.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

NAME = "lakegate-dependencies.gluewheels.zip"
PYTHON = "3.11"
# Amazon Linux 2023 has glibc 2.34, and runs what was built for an older one; pip prefers the first.
PLATFORMS = (*(f"manylinux_2_{minor}_x86_64" for minor in range(34, 16, -1)), "manylinux2014_x86_64")
_GLUE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": f"{PYTHON}.0",
    "python_version": PYTHON,
    "sys_platform": "linux",
}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold


class WheelsUnavailable(Exception):
    """The message says what to do; it is for people."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of the lock, by its normalised name, with the hashes of its files."""

    name: str
    version: str
    hashes: tuple[str, ...]


def build_glue_wheels(lock: Path, cache: Path, on_progress: Callable[[int, int], None]) -> Path:
    """The zip for `lock`, from the cache if it was built before; byte for byte the same for the same lock.

    `on_progress` is told how many of how many wheels are there. Raises WheelsUnavailable.
    """
    pins = tuple(pins_for_glue(lock.read_text()))
    key = hashlib.sha256(repr((pins, PYTHON, PLATFORMS)).encode()).hexdigest()[:16]
    built = cache / key / NAME
    if built.exists():
        return built
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        wheels = Path(scratch) / "wheels"
        wheels.mkdir()
        _download(pins, wheels, on_progress)
        _check(pins, wheels)
        unfinished = Path(scratch) / NAME
        _write_zip(pins, wheels, unfinished)
        for outdated in (folder for folder in cache.iterdir() if folder != Path(scratch)):
            shutil.rmtree(outdated)
        built.parent.mkdir()
        os.replace(unfinished, built)
    return built


def pins_for_glue(lock: str) -> Iterator[Pin]:
    """What a file of `uv pip compile --generate-hashes` pins for the machine that Glue is."""
    for line in lock.replace("\\\n", " ").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        pinned, *hashes = (part.strip() for part in line.split("--hash="))
        requirement = Requirement(pinned)
        if requirement.marker is None or requirement.marker.evaluate(_GLUE):
            version = next(iter(requirement.specifier)).version
            yield Pin(canonicalize_name(requirement.name), version, tuple(hashes))


def _download(pins: tuple[Pin, ...], wheels: Path, on_progress: Callable[[int, int], None]) -> None:
    requirements = wheels.parent / "hashed.txt"
    lines = (" --hash=".join((f"{pin.name}=={pin.version}", *pin.hashes)) for pin in pins)
    requirements.write_text("".join(f"{line}\n" for line in lines))
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--progress-bar=off"]
    command += ["--no-deps", "--require-hashes", "--only-binary=:all:", "--retries=2", "--timeout=15"]
    command += [f"--python-version={PYTHON}", "--implementation=cp", f"--dest={wheels}"]
    command += [f"--platform={platform}" for platform in PLATFORMS]
    command += [f"--abi={abi}" for abi in ("cp311", "abi3", "none")]
    with subprocess.Popen(
        [*command, f"--requirement={requirements}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as pip:
        assert pip.stdout
        said, begun = [], 0
        for line in pip.stdout:
            said.append(line.strip())
            if line.startswith(("Collecting ", "Processing ")):  # from an index, from a folder
                begun += 1
                on_progress(begun, len(pins))
    if pip.returncode:
        problems = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
        raise WheelsUnavailable(
            "The wheels that the Glue jobs install could not be fetched from the package index, which takes "
            "a network once after each change of requirements/runtime.txt. pip says: "
            f"{(problems or said[-1:])[0]}"
        )


def _check(pins: tuple[Pin, ...], wheels: Path) -> None:
    """Nothing more and nothing less than the lock pins."""
    found = {parse_wheel_filename(wheel.name)[:2] for wheel in wheels.iterdir()}
    got = {(name, str(version)) for name, version in found}
    if wrong := got ^ {(pin.name, pin.version) for pin in pins}:
        raise WheelsUnavailable(f"pip fetched other wheels than the lock pins: {sorted(wrong)}.")


def _write_zip(pins: tuple[Pin, ...], wheels: Path, path: Path) -> None:
    """Stored as they are: wheels are compressed already."""
    requirements = "".join(f"{pin.name}=={pin.version}\n" for pin in pins)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_entry("requirements.txt"), requirements)
        for wheel in sorted(wheels.iterdir()):
            with wheel.open("rb") as source, archive.open(_entry(wheel.name), "w") as target:
                shutil.copyfileobj(source, target, 2**20)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(f"wheels/{name}", _EPOCH)
    entry.external_attr = 0o644 << 16
    return entry
