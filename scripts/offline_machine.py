"""The offline machine: the offline AWS with the whole stack applied to it, ready to take files.

Everything it leaves lies under one folder of the checkout, so machines of two checkouts never meet.
"""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config

from scripts.package import CHECKOUT, build_artifacts
from scripts.terraform import Applied, Progress, Terraform

STATE_DIR = CHECKOUT / "build" / "offline"
REGION = "us-east-1"
_OF_AN_ALARM = re.compile(r"^Subject: (ALARM|OK|INSUFFICIENT_DATA): ", re.MULTILINE)
_START_SECONDS = 60
_END_SECONDS = 2.0
# The offline AWS takes any credentials; these belong to no role, so they are the account's administrator.
ADMINISTRATOR = {"aws_access_key_id": "offline", "aws_secret_access_key": "offline"}


class MachineUnavailable(Exception):
    """The message says what to do; it is for people."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A running offline AWS, with or without the stack on it."""

    endpoint: str
    pid: int
    state_dir: Path

    @property
    def docs_dir(self) -> Path:
        """Where the Data Docs are copied to, for looking at."""
        return self.state_dir / "docs"

    @property
    def mails(self) -> list[Path]:
        """What SNS would have mailed, oldest first."""
        return sorted((self.state_dir / "outbox").glob("*.txt"))

    @property
    def alerts(self) -> list[Path]:
        """Of the mails, those of runs; what CloudWatch's alarms say has other subjects."""
        return [mail for mail in self.mails if not _OF_AN_ALARM.search(mail.read_text())]

    def evaluate_alarms(self, at: datetime | None = None) -> dict[str, str]:
        """Evaluate all alarms now, and return their states by name.

        With a moment, as at that moment; from then on they are evaluated only when asked for.
        """
        body = json.dumps({"at": at.isoformat()} if at else {}).encode()
        url = f"{self.endpoint}/lakegate-offline/alarms/evaluate"
        with urlopen(Request(url, body, method="POST")) as answer:
            return json.load(answer)["states"]

    def client(self, service: str, role_arn: str | None = None) -> Any:
        """A boto3 client as the administrator, or as somebody who has assumed the role."""
        credentials = ADMINISTRATOR
        if role_arn:
            session_name = role_arn.rpartition("/")[2]
            answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name)
            credentials = {
                "aws_access_key_id": answer["Credentials"]["AccessKeyId"],
                "aws_secret_access_key": answer["Credentials"]["SecretAccessKey"],
                "aws_session_token": answer["Credentials"]["SessionToken"],
            }
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            config=Config(retries={"total_max_attempts": 2}, parameter_validation=True),
            **credentials,
        )

    def terraform(self) -> Terraform:
        variables = {"artifacts_dir": str(self.state_dir / "artifacts")}
        return Terraform("local", self.state_dir, variables, {"AWS_ENDPOINT_URL": self.endpoint})

    def apply_stack(self, on_progress: Callable[[Progress], None]) -> Applied:
        """Package, then terraform init and apply. Raises TerraformFailed, PackagingFailed."""
        build_artifacts(self.state_dir / "artifacts")
        terraform = self.terraform()
        terraform.init(f"path={self.state_dir / 'terraform.tfstate'}")
        return terraform.apply(on_progress)


def forget_own_account() -> None:
    """Drop the AWS settings of the user's environment: it is not their account that is meant."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]


@contextmanager
def start_machine(
    state_dir: Path = STATE_DIR, port: int = 0, server: str = "scripts.offline_aws"
) -> Iterator[tuple[Machine, Callable[[], None]]]:
    """A fresh machine that stops with the block, or with this process however it ends.

    Yields it with a function that makes it stay: after that it outlives this process (`make down` stops it).
    `server` is the module that is run, with the command line of scripts.offline_aws.
    """
    with _claimed(state_dir):
        _forget_last_machine(state_dir)
        process = _spawn(state_dir, port, server)
        stays = False

        def stay() -> None:
            nonlocal stays
            assert process.stdin
            process.stdin.write(b"detach\n")
            process.stdin.flush()
            stays = True

        try:
            yield _await_machine(process, state_dir), stay
        finally:
            assert process.stdin
            process.stdin.close()
            if not stays:
                process.terminate()
                process.wait()


def find_machine(state_dir: Path = STATE_DIR) -> Machine | None:
    """The machine that runs in this folder, if any: the one that holds its lock."""
    facts = _read_facts(state_dir) if _is_running(state_dir) else None
    return Machine(facts["endpoint"], facts["pid"], state_dir) if facts else None


def deployed_machine(needed_output: str, state_dir: Path = STATE_DIR) -> tuple[Machine, dict[str, Any]]:
    """The machine of this folder and the outputs of the stack on it, `needed_output` among them.

    The AWS settings of the user's environment are dropped. Raises MachineUnavailable.
    """
    forget_own_account()
    machine = find_machine(state_dir)
    if not machine:
        raise MachineUnavailable("No offline AWS is running here. `make up` starts one.")
    outputs = machine.terraform().outputs()
    if needed_output not in outputs:
        raise MachineUnavailable("The stack is not on the offline AWS yet. `make up` applies it.")
    return machine, outputs


def stop_machine(machine: Machine) -> None:
    os.kill(machine.pid, signal.SIGTERM)
    deadline = time.monotonic() + 10
    while _is_running(machine.state_dir) and time.monotonic() < deadline:
        time.sleep(0.1)
    if _is_running(machine.state_dir):
        os.kill(machine.pid, signal.SIGKILL)


@contextmanager
def _claimed(state_dir: Path) -> Iterator[None]:
    """Only one process at a time makes a machine in this folder; the lock goes with the process."""
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "claim.lock").open("w") as lock:
        _lock_or_complain(lock, state_dir)
        if machine := _lasting_machine(state_dir):
            raise MachineUnavailable(
                f"An offline AWS is already running here at {machine.endpoint} (pid {machine.pid}). "
                "Stop it with `make down`, then try again."
            )
        yield


def _lasting_machine(state_dir: Path) -> Machine | None:
    """The machine of this folder; one whose starter was killed is given a moment to end."""
    deadline = time.monotonic() + _END_SECONDS
    while (machine := find_machine(state_dir)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return machine


def _lock_or_complain(lock: IO[str], state_dir: Path) -> None:
    deadline = time.monotonic() + _END_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise MachineUnavailable(
                    f"Another run is using {state_dir} right now. Wait for it to end, or use a second clone."
                ) from error
            time.sleep(0.1)
        else:
            return


def _forget_last_machine(state_dir: Path) -> None:
    """The emulator keeps its state in memory, so the Terraform state of the last one describes nothing."""
    for name in ("terraform.tfstate", "terraform.tfstate.backup", "endpoint.json"):
        (state_dir / name).unlink(missing_ok=True)
    (state_dir / ".terraform.tfstate.lock.info").unlink(missing_ok=True)
    for name in ("logs", "outbox", "docs", "tmp"):
        shutil.rmtree(state_dir / name, ignore_errors=True)


def _spawn(state_dir: Path, port: int, server: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", server, "--lease"]
    command += ["--port", str(port), "--state-dir", str(state_dir), "--region", REGION]
    with (state_dir / "server.out").open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is for us: we stop it, in order
        )


def _await_machine(process: subprocess.Popen[bytes], state_dir: Path) -> Machine:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = (state_dir / "server.out").read_text().strip()
            raise MachineUnavailable(f"The offline AWS did not start: {said}")
        if facts := _read_facts(state_dir):
            return Machine(facts["endpoint"], facts["pid"], state_dir)
        time.sleep(0.05)
    process.kill()
    raise MachineUnavailable(
        f"The offline AWS did not answer within {_START_SECONDS} s; its log is in {state_dir / 'logs'}."
    )


def _read_facts(state_dir: Path) -> dict[str, Any] | None:
    try:
        return json.loads((state_dir / "endpoint.json").read_text())
    except FileNotFoundError:
        return None


def _is_running(state_dir: Path) -> bool:
    """Whether a server holds its lock here; a process id alone may be another program's by now."""
    try:
        with (state_dir / "server.lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two who look do not meet
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
