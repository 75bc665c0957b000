"""Terraform, run on one of our environments, with its progress and its errors as values."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from scripts.offline_aws.guard import spawn_guarded
from scripts.package import CHECKOUT
from scripts.terraform_mirror import MirrorUnusable, find_mirror

OLDEST = (1, 9)
DEPLOY_DIR = CHECKOUT / "build" / "deploy"  # which backend dev and prod have; their state is in S3
BOOTSTRAP = "bootstrap"
_SPACE_NEEDED = 2 * 2**30  # the AWS provider unpacks to about 700 MB; state, logs and code take little


class Environment(StrEnum):
    """The folders of terraform/environments."""

    LOCAL = "local"
    DEV = "dev"
    PROD = "prod"


class TerraformFailed(Exception):
    """The message says what to do; it is for people."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` resources are applied; `total` is 0 until the plan is made."""

    done: int
    total: int
    resource: str


@dataclass(frozen=True, slots=True)
class Applied:
    """`slowest` are the resources that took longest, in seconds, slowest first."""

    added: int
    changed: int
    removed: int
    slowest: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an apply of the file would do; nothing, if nothing differs."""

    file: Path
    added: int
    changed: int
    removed: int

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.changed or self.removed)


class Terraform:
    """One environment's root module, or that of the bootstrap; all files Terraform makes go to `work_dir`.

    `variables` are Terraform's, `environ` is added to the process's environment.
    """

    def __init__(
        self,
        environment: str,
        work_dir: Path,
        variables: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
    ):
        self._root = root_of(environment)
        self._work_dir = work_dir
        self._work_dir.mkdir(parents=True, exist_ok=True)
        self._binary = find_terraform()
        self._environ = os.environ | {
            "TF_DATA_DIR": str(work_dir / f"terraform-{environment}"),
            "TF_CLI_CONFIG_FILE": str(self._write_cli_config()),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "CHECKPOINT_DISABLE": "1",
            **(environ or {}),
            **{f"TF_VAR_{name}": value for name, value in (variables or {}).items()},
        }

    def init(self, *backend_config: str) -> None:
        free = shutil.disk_usage(self._work_dir).free
        if free < _SPACE_NEEDED:
            raise TerraformFailed(
                f"{self._work_dir} has {free / 2**30:.1f} GB free; Terraform's AWS provider needs about "
                f"{_SPACE_NEEDED / 2**30:.0f} GB. Free some space and try again."
            )
        options = [f"-backend-config={option}" for option in backend_config]
        self._run("init", "-no-color", "-reconfigure", "-lockfile=readonly", *options)

    def move_state(self, *backend_config: str) -> None:
        """Take the state from the backend that was used so far to the one of these options."""
        options = [f"-backend-config={option}" for option in backend_config]
        self._run("init", "-no-color", "-migrate-state", "-force-copy", "-lockfile=readonly", *options)

    def plan(self, on_progress: Callable[[Progress], None], *options: str) -> Plan:
        """A plan that can be shown and applied. Raises TerraformFailed with Terraform's own diagnostics."""
        file = self._work_dir / f"{self._root.name}.tfplan"
        account = self._follow(on_progress, "plan", f"-out={file}", *options)
        return Plan(file, account.planned["add"], account.planned["change"], account.planned["remove"])

    def show(self, plan: Plan, *options: str) -> str:
        """The plan as Terraform words it."""
        return self._run("show", *options, str(plan.file)).stdout

    def apply_plan(self, plan: Plan, on_progress: Callable[[Progress], None]) -> Applied:
        total = plan.added + plan.changed + plan.removed
        return self._follow(on_progress, "apply", str(plan.file), total=total).applied()

    def apply(self, on_progress: Callable[[Progress], None], *options: str) -> Applied:
        """Plan and apply without asking. Raises TerraformFailed with Terraform's own diagnostics."""
        return self._follow(on_progress, "apply", "-auto-approve", *options).applied()

    def destroy(self, on_progress: Callable[[Progress], None], *options: str) -> Applied:
        return self._follow(on_progress, "destroy", "-auto-approve", *options).applied()

    def has_changes(self) -> bool:
        """Whether a plan would change anything."""
        return self._run("plan", "-no-color", "-detailed-exitcode", accept=(0, 2)).returncode == 2

    def outputs(self) -> dict[str, Any]:
        answer = json.loads(self._run("output", "-json").stdout)
        return {name: output["value"] for name, output in answer.items()}

    def _run(self, *command: str, accept: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        process = self._start(*command)
        try:
            stdout, stderr = process.communicate()
        finally:
            process.kill()  # when we are interrupted; one that has ended does not mind
        if process.returncode not in accept:
            problem = (stderr or stdout).decode().strip()
            raise TerraformFailed(f"terraform {command[0]} failed:\n{problem}")
        return subprocess.CompletedProcess(command, process.returncode, stdout.decode(), stderr.decode())

    def _start(self, *command: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
        return spawn_guarded(
            [self._binary, f"-chdir={self._root}", *command],
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )

    def _follow(
        self,
        on_progress: Callable[[Progress], None],
        command: Literal["plan", "apply", "destroy"],
        *options: str,
        total: int = 0,
    ) -> "_Account":
        process = self._start(
            command, "-json", "-lock-timeout=10s", "-parallelism=40", *options, stderr=subprocess.STDOUT
        )
        account = _Account(on_progress, total)
        try:
            assert process.stdout
            for line in process.stdout:
                account.take(line)
            failed = process.wait()
        finally:
            process.kill()  # when we are interrupted; one that has ended does not mind
        if failed:
            raise TerraformFailed(f"terraform {command} failed:\n" + "\n".join(account.problems))
        return account

    def _write_cli_config(self) -> Path:
        """Our own CLI configuration: the user's may name a file that is not there."""
        try:
            mirror = find_mirror(self._work_dir)
        except MirrorUnusable as error:
            raise TerraformFailed(str(error)) from None
        path = self._work_dir / "terraform.rc"
        if mirror:
            installation = (
                "provider_installation {\n"
                f"  filesystem_mirror {{\n    path = {json.dumps(str(mirror))}\n  }}\n"
                '  direct {\n    exclude = ["registry.terraform.io/hashicorp/aws"]\n  }\n'
                "}\n"
            )
        else:
            cache = self._work_dir / "terraform-providers"
            cache.mkdir(exist_ok=True)
            installation = f"plugin_cache_dir = {json.dumps(str(cache))}\n"
        path.write_text(installation)
        return path


def root_of(environment: str) -> Path:
    """The folder of an environment, or of the bootstrap."""
    terraform = CHECKOUT / "terraform"
    return terraform / BOOTSTRAP if environment == BOOTSTRAP else terraform / "environments" / environment


def find_terraform(oldest: tuple[int, int] = OLDEST) -> str:
    """Raises TerraformFailed when it is missing or too old."""
    how = "Install it from https://developer.hashicorp.com/terraform/install and try again."
    wanted = ".".join(map(str, oldest))
    binary = shutil.which("terraform")
    if not binary:
        raise TerraformFailed(f"Terraform {wanted} or newer is needed and there is none on the PATH. {how}")
    environ = os.environ | {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    answer = subprocess.run([binary, "version", "-json"], capture_output=True, env=environ, check=False)
    try:
        version = json.loads(answer.stdout)["terraform_version"]
        found = tuple(int(part) for part in version.split("-")[0].split(".")[:2])
    except (ValueError, KeyError) as error:
        raise TerraformFailed(f"{binary} does not tell its version. {how}") from error
    if found < oldest:
        raise TerraformFailed(f"Terraform {wanted} or newer is needed; {binary} is {version}. {how}")
    return binary


def read_outputs(environment: str) -> dict[str, Any]:
    """The outputs of an environment that was initialised, by make or by hand, from its own backend.

    Raises TerraformFailed, with one line; an environment that was never applied has no outputs.
    """
    root, data_dir = root_of(environment), DEPLOY_DIR / f"terraform-{environment}"
    environ = {"TF_DATA_DIR": str(data_dir)} | os.environ if data_dir.exists() else None
    command = [find_terraform(), f"-chdir={root}", "output", "-json", "-no-color"]
    answer = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if answer.returncode:
        errors = [line for line in answer.stderr.splitlines() if line.startswith("Error: ")]
        problem = errors[0].removeprefix("Error: ") if errors else f"exit code {answer.returncode}"
        raise TerraformFailed(
            f"Terraform cannot read the state of {environment}: {problem}. `make plan ENV={environment}`, or "
            f"`terraform init` in {os.path.relpath(root)}, tells it where that is."
        )
    return {name: output["value"] for name, output in json.loads(answer.stdout).items()}


class _Account:
    """What Terraform's machine-readable UI has told so far, line by line.

    Source: https://developer.hashicorp.com/terraform/internals/machine-readable-ui
    """

    def __init__(self, on_progress: Callable[[Progress], None], total: int):
        self._on_progress = on_progress
        self._took: dict[str, int] = {}
        self._read = 0
        self._total = total
        self._changes: Mapping[str, int] = {}
        self.planned: Mapping[str, int] = {"add": 0, "change": 0, "remove": 0}
        self.problems: list[str] = []

    def take(self, line: bytes) -> None:
        try:
            event = json.loads(line)
        except ValueError:  # a crash, say
            self.problems.append(line.decode(errors="replace").rstrip())
            return
        match event:
            case {"type": "change_summary", "changes": {"operation": "plan"} as changes}:
                self.planned = changes
                self._total = changes["add"] + changes["change"] + changes["remove"]
            case {"type": "change_summary", "changes": changes}:
                self._changes = changes
            case {"type": "refresh_complete", "hook": {"resource": {"addr": resource}}} if not self._took:
                self._read += 1
                self._on_progress(Progress(self._read, 0, resource))
            case {"type": "apply_complete", "hook": {"action": "read"}}:
                pass  # a data source; the plan's total does not count it
            case {"type": "apply_complete", "hook": {"resource": {"addr": resource}} as hook}:
                self._took[resource] = hook.get("elapsed_seconds", 0)
                self._on_progress(Progress(len(self._took), self._total, resource))
            case {"type": "diagnostic", "diagnostic": {"severity": "error"} as diagnostic}:
                parts = (diagnostic.get("address"), diagnostic["summary"], diagnostic.get("detail"))
                self.problems.append(": ".join(part for part in parts if part))

    def applied(self) -> Applied:
        slowest = sorted(self._took.items(), key=lambda item: -item[1])[:5]
        added, changed, removed = (self._changes.get(name, 0) for name in ("add", "change", "remove"))
        return Applied(added, changed, removed, tuple(slowest))
