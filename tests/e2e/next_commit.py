"""Somebody's next commit: a copy of the checkout with something changed in every part of the stack."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.package import CHECKOUT

NEW_DATASET = "contractor"
NEW_ADDRESS = "head-of-data@example.com"
NEWLY_PRIVATE = "job_title"

_PARTS = ("etl", "expectations", "scripts", "terraform", "pyproject.toml", "README.md", "LICENSE")
_ENVIRONMENT = "terraform/environments/local/main.tf"
_CONTRACT = "expectations/employee/contract.yaml"

# File, what it says, what it will say.
_EDITS = (
    (_ENVIRONMENT, '["data-oncall@example.com"]', f'["data-oncall@example.com", "{NEW_ADDRESS}"]'),
    (_ENVIRONMENT, "log_retention_days = 7", "log_retention_days = 14"),
    (
        _ENVIRONMENT,
        "force_destroy    = true\n",
        "force_destroy    = true\n  query_scan_limit_bytes = 20000000000\n  jobs = { timeout_minutes = 45 }\n"
        "  lambda_reserved_concurrency = 4\n",
    ),
    (_CONTRACT, "value: 24\n    unit: h", "value: 30\n    unit: h"),
    (_CONTRACT, "cron(0 3 * * ? *)", "cron(30 2 * * ? *)"),
    ("etl/lambdas/start_workflow.py", '"""A file landed', '"""One file landed'),
)


def write_next_commit(folder: Path) -> Path:
    """The changed checkout, in the folder."""
    for part in _PARTS:
        copy = shutil.copytree if (CHECKOUT / part).is_dir() else shutil.copy
        copy(CHECKOUT / part, folder / part)
    _add_dataset(folder / "expectations")
    for name, before, after in _EDITS:
        _edit(folder / name, before, after)
    _classify(folder / _CONTRACT, NEWLY_PRIVATE)
    return folder


def _add_dataset(expectations: Path) -> None:
    """One with the columns and the rules of the first."""
    shutil.copytree(expectations / "employee", expectations / NEW_DATASET)
    contract = expectations / NEW_DATASET / "contract.yaml"
    for before in (
        "id: lakegate:employee",
        "name: employee\n    physicalName: employee",
        "element: employee",
    ):
        _edit(contract, before, before.replace("employee", NEW_DATASET))
    suite = expectations / NEW_DATASET / "suite.json"
    suite.write_text(json.dumps(json.loads(suite.read_text()) | {"name": NEW_DATASET}))


def _classify(contract: Path, column: str) -> None:
    text = contract.read_text()
    before, name, after = text.partition(f"- name: {column}\n")
    contract.write_text(before + name + after.replace("classification: internal", "classification: pii", 1))


def _edit(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text, f"{path} does not say {before!r} any more"
    path.write_text(text.replace(before, after))


def changes_of(plan: dict[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Address, type and actions of whatever a plan (as `terraform show -json` tells it) would change."""
    for change in plan["resource_changes"]:
        actions = tuple(change["change"]["actions"])
        if change["mode"] == "managed" and actions != ("no-op",):
            yield change["address"], change["type"], actions
