"""However a demo ends, nothing of it is left behind; and what is missing is said in one line."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.offline_machine import find_machine, start_machine
from scripts.package import CHECKOUT
from tests.e2e.conftest import Start, processes_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_stopped_demo_leaves_nothing(start_demo: Start, tmp_path: Path, number: signal.Signals):
    """Ctrl-C, a kill and a kill -9 in the middle of the apply leave no process, and no lock in the way."""
    demo = start_demo(tmp_path)
    assert _await(lambda: any("terraform" in told and "apply" in told for told in processes_of(tmp_path)), 60)
    demo.send_signal(number)
    demo.communicate(timeout=20)
    assert _await(lambda: not processes_of(tmp_path), 15), processes_of(tmp_path)
    with start_machine(tmp_path) as (machine, _stay):
        assert machine.client("s3").list_buckets()["Buckets"] == []
    assert find_machine(tmp_path) is None


def test_the_demo_ends_with_the_make_that_started_it(tmp_path: Path):
    """kill -9 of make, which cannot pass it on, ends the demo too."""
    shell = subprocess.Popen(
        ["bash", "-c", f".venv/bin/python -m scripts.demo --state-dir {tmp_path}; true"],
        cwd=CHECKOUT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert _await(lambda: any("offline_aws" in told for told in processes_of(tmp_path)), 30)
    shell.kill()
    shell.wait()
    assert _await(lambda: not processes_of(tmp_path), 20), processes_of(tmp_path)


def test_a_second_demo_in_the_same_folder_is_refused(start_demo: Start, tmp_path: Path):
    """Two at once would mix their state; the second says so and does no harm to the first."""
    with start_machine(tmp_path) as (machine, _stay):
        said = _failed(start_demo(tmp_path))
        assert "Another run is using" in said
        assert machine.client("s3").list_buckets()["Buckets"] == []


def test_a_taken_port_is_named(start_demo: Start, tmp_path: Path):
    """With the port taken, the message names it and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = _failed(start_demo(tmp_path, "--port", str(port)))
    assert f"Port {port} on 127.0.0.1 is taken" in said


def test_a_missing_terraform_is_named(start_demo: Start, tmp_path: Path):
    """Without Terraform nothing is started, and one line says where to get it."""
    said = _failed(start_demo(tmp_path, env={"PATH": "/nonexistent"}))
    assert re.fullmatch(r"✗ Terraform 1\.9 or newer is needed .+ https://\S+ and try again\.", said.strip())


def test_an_old_terraform_is_named(start_demo: Start, tmp_path: Path):
    """A Terraform that is too old is refused by its version."""
    old = tmp_path / "bin" / "terraform"
    old.parent.mkdir()
    old.write_text('#!/bin/sh\necho \'{"terraform_version": "1.5.7"}\'\n')
    old.chmod(0o755)
    said = _failed(start_demo(tmp_path, env={"PATH": f"{old.parent}:{os.environ['PATH']}"}))
    assert f"Terraform 1.9 or newer is needed; {old} is 1.5.7" in said


def test_a_full_disk_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Too little space for the provider is said before it is fetched."""
    from scripts.terraform import Terraform, TerraformFailed

    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
    with pytest.raises(TerraformFailed, match=r"0\.0 GB free; Terraform's AWS provider needs about 2 GB"):
        Terraform("local", tmp_path).init()


def test_a_missing_python_is_named(tmp_path: Path):
    """Without Python 3.11 make says so in one line."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("make", "bash", "mkdir", "cat", "env"):
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    clone = tmp_path / "clone"
    clone.mkdir()
    shutil.copy(CHECKOUT / "Makefile", clone)
    shutil.copytree(CHECKOUT / "requirements", clone / "requirements")
    ended = subprocess.run(
        [tools / "make", "demo", f"SHELL={tools / 'bash'}"],
        cwd=clone,
        env={"PATH": str(tools), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode
    assert ended.stderr.splitlines()[0] == "Python 3.11 is needed and there is no python3.11 on the PATH."


def _failed(demo: subprocess.Popen[str]) -> str:
    said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1, said
    return said


def _await(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return holds
