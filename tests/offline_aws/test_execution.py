"""What every deployed thing that runs is given, and that it ends with the server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from deployments import Deployer, an_archive, until

from scripts.offline_aws.execution import DEPLOYED_ONLY, unpack_once

ROOT = Path(__file__).parents[2]


def test_an_editable_install_is_not_seen(tmp_path):
    """What a .pth file puts on the path is dropped; PYTHONPATH, the library and the packages stay."""
    environment, project, given = tmp_path / "venv", tmp_path / "project", tmp_path / "given"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    (packages,) = (environment / "lib").glob("python*/site-packages")
    for folder, module in ((project, "from_pth"), (given, "from_wheel"), (packages, "installed")):
        folder.mkdir(exist_ok=True)
        (folder / f"{module}.py").touch()
    (packages / "editable.pth").write_text(f"{project}\n")
    program = """
import importlib.util, sys
print([name for name in ("from_pth", "from_wheel", "installed", "json") if importlib.util.find_spec(name)])
"""
    command = [str(environment / "bin" / "python"), "-P", "-s", "-c", program]

    def importable(*python_path: Path) -> list[str]:
        env = {"PYTHONPATH": os.pathsep.join(map(str, python_path))}
        return json.loads(subprocess.check_output(command, env=env, text=True).replace("'", '"'))

    assert importable(given) == ["from_pth", "from_wheel", "installed", "json"]
    assert importable(DEPLOYED_ONLY, given) == ["from_wheel", "installed", "json"]


def test_an_archive_is_unpacked_once(tmp_path):
    """The same bytes give the same folder, and nothing half-unpacked stays."""
    archive = an_archive(etl__mod="X = 1")
    folder = unpack_once(archive, tmp_path)
    (folder / "mark").touch()
    assert unpack_once(archive, tmp_path) == folder
    assert (folder / "mark").exists()
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_what_runs_ends_with_the_server(tmp_path, signum):
    """However the server dies, the processes of a job run, its children too, are gone."""
    state_dir = tmp_path / "state"
    command = [sys.executable, "-m", "scripts.offline_aws", "--port", "0", "--state-dir", str(state_dir)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        file = state_dir / "endpoint.json"
        until(file.exists)
        pids = until_job_runs(json.loads(file.read_text())["endpoint"], state_dir)
        assert all(is_alive(pid) for pid in pids)
        server.send_signal(signum)
        server.wait(10)
        until(lambda: not any(is_alive(pid) for pid in pids), 5)
    finally:
        server.kill()
        server.wait()


def until_job_runs(endpoint: str, state_dir: Path) -> list[int]:
    """Start a job that has a child; the ids of both processes."""

    def client(service: str):
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", **keys)

    def role(service: str, suffix: str) -> str:
        principal = {"Service": f"{service}.amazonaws.com"}
        trust = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
        made = client("iam").create_role(RoleName=suffix, AssumeRolePolicyDocument=json.dumps(trust))
        return made["Role"]["Arn"]

    client("s3").create_bucket(Bucket="kill")
    script = """
        import os, subprocess, time
        child = subprocess.Popen(["sleep", "60"])
        print(os.getpid(), child.pid)
        time.sleep(60)
    """
    job = Deployer(client, "kill", role, "kill").job("job", script)
    run_id = client("glue").start_job_run(JobName=job)["JobRunId"]
    log = state_dir / "logs" / f"{run_id}.out"
    text = until(lambda: log.exists() and log.read_text())
    return [int(pid) for pid in text.split()]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z")
