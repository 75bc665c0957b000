"""What every deployed thing that runs has in common: its code, its role, its environment, its log."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from moto.core.exceptions import ServiceException
from moto.iam.models import iam_backends
from moto.logs.models import logs_backends
from moto.s3.exceptions import S3ClientError
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends

from scripts.offline_aws.state import ServerState

PARTITION = "aws"
DEPLOYED_ONLY = Path(__file__).parent / "deployed_only"
LOG_EVENT_LIMIT = 200_000
"""Characters in one log event; CloudWatch Logs refuses more than 256 KB."""


class CodeMissing(Exception):
    """The deployed code is not where the deployment says it is."""


class RoleNotAssumable(Exception):
    """The role does not exist, or its trust policy does not name the service that runs the code."""


@dataclass(frozen=True, slots=True)
class RoleCredentials:
    role_arn: str
    access_key_id: str
    secret_access_key: str
    session_token: str


def assume_service_role(state: ServerState, role: str, service: str, session: str) -> RoleCredentials:
    """Credentials of `role` (a name or an ARN) for `service`, such as glue.amazonaws.com.

    The trust policy is read as far as `Principal.Service` goes; its conditions are not.
    """
    iam = iam_backends[state.account_id][PARTITION]
    name = role.rsplit("/", 1)[-1]
    try:
        found = iam.get_role(name)
    except ServiceException:
        raise RoleNotAssumable(role) from None
    if role.startswith("arn:") and found.arn != role:
        raise RoleNotAssumable(role)
    if not _trusts(found.assume_role_policy_document, service):
        raise RoleNotAssumable(role)
    assumed = sts_backends[state.account_id][PARTITION].assume_role(
        region_name=state.region,
        role_session_name=session[:64],
        role_arn=found.arn,
        policy="",
        duration=3600,
        external_id="",
    )
    return RoleCredentials(found.arn, assumed.access_key_id, assumed.secret_access_key, assumed.session_token)


def _trusts(policy_document: str | None, service: str) -> bool:
    try:
        statements = json.loads(policy_document or "{}").get("Statement", [])
    except ValueError:
        return False
    for statement in [statements] if isinstance(statements, dict) else statements:
        principal = statement.get("Principal", {})
        named = principal.get("Service", []) if isinstance(principal, dict) else principal
        if statement.get("Effect") == "Allow" and service in ([named] if isinstance(named, str) else named):
            return True
    return False


def clean_environment(
    state: ServerState, credentials: RoleCredentials, home: Path, python_path: Iterable[Path]
) -> dict[str, str]:
    """Nothing of the server's own environment but where programs are found."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONPATH": os.pathsep.join(str(path) for path in (DEPLOYED_ONLY, *python_path)),
        "PYTHONUNBUFFERED": "1",  # so that the log of a run that was killed is whole
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
        "AWS_REGION": state.region,
        "AWS_DEFAULT_REGION": state.region,
        "AWS_ENDPOINT_URL": state.endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def python_command(program: Path, *arguments: str) -> list[str]:
    """The interpreter that runs the server, without its user site and without the current folder."""
    return [sys.executable, "-P", "-s", str(program), *arguments]


def ended_in_time(process: subprocess.Popen, seconds: float) -> bool:
    """Wait for the process; False when its time was over and it had to be ended."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


def read_object(state: ServerState, uri: str) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        found = s3_backends[state.account_id][PARTITION].get_object(bucket, key)
    except S3ClientError:
        found = None
    if found is None or not uri.startswith("s3://"):
        raise CodeMissing(f"{uri} does not exist")
    return found.value


def unpack_once(archive: bytes, root: Path) -> Path:
    """The folder under `root`, named by the archive's SHA-256, that holds its files."""
    folder = root / hashlib.sha256(archive).hexdigest()
    if folder.exists():
        return folder
    root.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=root, prefix=".unpacking-"))
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        zipped.extractall(partial)
    try:
        partial.rename(folder)
    except OSError:  # another run unpacked the same archive meanwhile
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def publish_log(state: ServerState, group: str, stream: str, text: str) -> None:
    """One event a line, all with the time of the call: they are published when the run has ended."""
    logs = logs_backends[state.account_id][state.region]
    logs.ensure_log_group(group)
    logs.ensure_log_stream(group, stream)
    now_ms = int(time.time() * 1000)
    events = [{"timestamp": now_ms, "message": line[:LOG_EVENT_LIMIT]} for line in text.splitlines()]
    if events:
        logs.put_log_events(group, stream, events)


def as_text(environment: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in environment.items()}
