"""What the jobs install on AWS."""

import ast
import re
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from scripts import glue_wheels
from scripts.glue_wheels import Pin, WheelsUnavailable, build_glue_wheels, pins_for_glue
from scripts.package import CHECKOUT

LOCK = CHECKOUT / "requirements" / "runtime.txt"
WHAT_GLUE_HAS = {"awsglue", "py4j", "pyspark"}


def the_lock_of(*names: str) -> str:
    """Those entries of the real lock."""
    entries = re.split(r"\n(?=\S)", LOCK.read_text())
    return "\n".join(entry for entry in entries if entry.split("==")[0] in names)


def test_the_pins_are_those_of_the_machine_that_glue_is():
    """A pin for another system or another Python is left out."""
    lock = """
    a==1 \\
        --hash=sha256:aa \\
        --hash=sha256:bb
        # via b
    b==2 ; python_full_version < '3.12' \\
        --hash=sha256:cc
    b==3 ; python_full_version >= '3.12' \\
        --hash=sha256:dd
    c==4 ; sys_platform == 'win32' \\
        --hash=sha256:ee
    """
    lock = "\n".join(line.removeprefix("    ") for line in lock.splitlines())

    assert list(pins_for_glue(lock)) == [
        Pin("a", "1", ("sha256:aa", "sha256:bb")),
        Pin("b", "2", ("sha256:cc",)),
    ]


def test_every_pin_of_the_lock_has_a_hash():
    """pip can refuse a file that is not the one that was tested."""
    pins = list(pins_for_glue(LOCK.read_text()))

    assert len(pins) > 40
    assert all(pin.hashes and all(hash_.startswith("sha256:") for hash_ in pin.hashes) for pin in pins)


def test_whatever_the_jobs_import_is_shipped():
    """Each package that `etl` imports is pinned for Glue, or Glue has it."""
    imported = {
        name.split(".")[0]
        for source in (CHECKOUT / "etl").rglob("*.py")
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom) and not getattr(node, "level", 0)
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        )
    }
    others = imported - set(sys.stdlib_module_names) - WHAT_GLUE_HAS - {"etl"}
    shipped = {pin.name for pin in pins_for_glue(LOCK.read_text())}
    provided = packages_distributions()

    missing = [
        name for name in others if not shipped & {canonicalize_name(d) for d in provided.get(name, ())}
    ]
    assert {"great_expectations", "pyarrow"} <= others
    assert not missing


@pytest.mark.slow
def test_the_zip_holds_what_the_lock_pins_and_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder `wheels` with the pinned wheels and their list, always the same bytes, fetched once."""
    lock = tmp_path / "runtime.txt"
    lock.write_text(the_lock_of("mdurl", "typing-inspection"))
    told: list[tuple[int, int]] = []
    first = build_glue_wheels(lock, tmp_path / "cache", lambda begun, wanted: told.append((begun, wanted)))
    content = first.read_bytes()
    with zipfile.ZipFile(first) as archive:
        names = archive.namelist()
        requirements = archive.read("wheels/requirements.txt").decode().splitlines()

    assert first.name.endswith(".gluewheels.zip")
    assert told[-1] == (2, 2)
    assert [re.sub(r"-[^/]*", "", name) for name in names[1:]] == ["wheels/mdurl", "wheels/typing_inspection"]
    assert all(name.endswith("-none-any.whl") for name in names[1:])
    assert requirements == [f"{pin.name}=={pin.version}" for pin in pins_for_glue(lock.read_text())]

    again = build_glue_wheels(lock, tmp_path / "other", lambda *_: None)
    assert again.read_bytes() == content

    monkeypatch.setattr(glue_wheels, "_download", lambda *_: pytest.fail("the cache was not used"))
    assert build_glue_wheels(lock, tmp_path / "cache", lambda *_: None).read_bytes() == content


@pytest.mark.slow
def test_a_wheel_that_is_not_the_tested_one_is_refused(tmp_path: Path):
    """A wheel with another hash is not shipped, and the cache stays as it was."""
    lock = tmp_path / "runtime.txt"
    lock.write_text(re.sub(r"sha256:[0-9a-f]{4}", "sha256:0000", the_lock_of("mdurl")))

    with pytest.raises(WheelsUnavailable, match="HASHES"):
        build_glue_wheels(lock, tmp_path / "cache", lambda *_: None)

    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.slow
def test_without_a_network_the_reason_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whoever builds without a network reads when one is needed."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    lock = tmp_path / "runtime.txt"
    lock.write_text(the_lock_of("mdurl"))

    with pytest.raises(WheelsUnavailable, match="takes a network once after each change of") as caught:
        build_glue_wheels(lock, tmp_path / "cache", lambda *_: None)
    assert "\n" not in str(caught.value)
