"""What `terraform test` says of the modules, on a mock provider, and `terraform validate` of environments."""

import json
import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from scripts.package import CHECKED, CHECKOUT, EXPECTATIONS, LAMBDA_ZIP, checksum
from scripts.terraform import Terraform, find_terraform

STACK = CHECKOUT / "terraform" / "stack"
MODULES = {
    module.name: module
    for module in (STACK, *sorted((CHECKOUT / "terraform" / "modules").rglob("*")))
    if (module / "main.tf").exists() or (module / "variables.tf").exists()
}
TESTED_IN = "terraform/stack/tests/{}.tftest.hcl"
TESTS = {path.name.partition(".")[0]: path for path in sorted((STACK / "tests").glob("*.tftest.hcl"))}


@dataclass
class Told:
    """What Terraform told of one test file."""

    passed: int = 0
    problems: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources: an init writes a lock file beside what it initialises."""
    folder = tmp_path_factory.mktemp("terraform")
    shutil.copytree(CHECKOUT / "terraform", folder / "terraform", ignore=shutil.ignore_patterns(".terraform"))
    lock = CHECKOUT / "terraform" / "environments" / "local" / ".terraform.lock.hcl"
    shutil.copy(lock, folder / "terraform" / "stack")
    shutil.copytree(EXPECTATIONS, folder / "expectations")
    shutil.copytree(CHECKOUT / "etl" / "glue_jobs", folder / "etl" / "glue_jobs")
    return folder


@pytest.fixture(scope="module")
def run_terraform(sources: Path) -> Any:
    """`run_terraform(root, "validate")` runs it on a folder of the sources, initialised."""
    Terraform("local", sources)  # writes where the provider comes from
    environ = os.environ | {"TF_CLI_CONFIG_FILE": str(sources / "terraform.rc"), "CHECKPOINT_DISABLE": "1"}

    def run(root: str, *command: str) -> subprocess.CompletedProcess[str]:
        data = environ | {"TF_DATA_DIR": str(sources / f"data-{root.replace('/', '-')}")}
        asked = [find_terraform(), f"-chdir={sources / 'terraform' / root}"]
        init = ["init", "-backend=false", "-lockfile=readonly", "-input=false", "-no-color"]
        for step, is_checked in ((init, True), (command, False)):
            done = subprocess.run(
                [*asked, *step], env=data, capture_output=True, text=True, check=is_checked, timeout=300
            )
        return done

    return run


@pytest.fixture(scope="module")
def told(sources: Path, run_terraform: Any) -> Mapping[str, Told]:
    """By test file; all run in one Terraform, which is most of what they take."""
    artifacts = sources / "artifacts"
    artifacts.mkdir()
    for name in ("lakegate-0-py3-none-any.whl", LAMBDA_ZIP):
        (artifacts / name).touch()
    (artifacts / CHECKED).write_text(checksum(EXPECTATIONS))
    folders = {
        "artifacts_dir": artifacts,
        "expectations_dir": sources / "expectations",
        "glue_scripts_dir": sources / "etl" / "glue_jobs",
    }
    variables = [f"-var={name}={folder}" for name, folder in folders.items()]
    return _read(run_terraform("stack", "test", "-json", *variables).stdout)


def _read(output: str) -> Mapping[str, Told]:
    """Source: https://developer.hashicorp.com/terraform/internals/machine-readable-ui"""
    files: dict[str, Told] = defaultdict(Told)
    for line in output.splitlines():
        event = json.loads(line)
        file = Path(event.get("@testfile", "")).name.partition(".")[0]
        match event:
            case {"type": "test_run", "test_run": {"progress": "complete", "status": "pass"}}:
                files[file].passed += 1
            case {"type": "diagnostic", "diagnostic": {"severity": "error"} as problem}:
                said = f"{event.get('@testrun')}: {problem['summary']}: {problem.get('detail', '')}"
                files[file].problems.append(said)
    return files


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("module", MODULES)
def test_a_module_keeps_its_promises(module: str, told: Mapping[str, Told]):
    """All that the module's test file asserts holds, and each of its runs was run."""
    assert told[module].problems == []
    assert told[module].passed == len(re.findall(r'^run "', TESTS[module].read_text(), re.MULTILINE)) > 0


@pytest.mark.parametrize("module", MODULES)
def test_a_wrong_value_of_each_checked_variable_is_refused(module: str):
    """No validation is without a value that it refuses; the message is ours then, and not AWS's at apply."""
    assert module in TESTS, f"write {TESTED_IN.format(module)}"
    text = (MODULES[module] / "variables.tf").read_text()
    checked = {
        block[1]
        for block in re.finditer(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
        if "validation {" in block[2]
    }
    refused = re.findall(r"expect_failures = \[([^\]]+)\]", TESTS[module].read_text())
    missing = checked - set(re.findall(r"var\.(\w+)", " ".join(refused)))
    assert not missing, f"give {sorted(missing)} a wrong value in {TESTED_IN.format(module)}"


@pytest.mark.slow
@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_an_environment_is_valid(environment: str, run_terraform: Any):
    """`terraform validate` finds nothing; the demo applies the local environment, which says more."""
    done = run_terraform(f"environments/{environment}", "validate", "-no-color")
    assert done.returncode == 0, done.stderr
