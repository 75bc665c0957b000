"""What checkov says of the Terraform, and what it was told not to say."""

import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
CHECKOV = CHECKOUT / "build" / "checkov" / "bin" / "checkov"
SKIP = re.compile(r"#\s*checkov:skip=(?P<check>\w+)(?P<reason>:.*)?")

# Whoever skips one check more counts it here, and so meets the question whether it has to be.
SKIPS = {
    "CKV2_AWS_62": 1,
    "CKV_AWS_108": 1,
    "CKV_AWS_109": 4,
    "CKV_AWS_110": 1,
    "CKV_AWS_111": 4,
    "CKV_AWS_116": 1,
    "CKV_AWS_117": 2,
    "CKV_AWS_144": 1,
    "CKV_AWS_272": 2,
    "CKV_AWS_300": 1,
    "CKV_AWS_356": 4,
    "CKV_AWS_358": 1,
    "CKV_AWS_94": 1,
}


@pytest.fixture(scope="module")
def verdict() -> dict[str, Any]:
    if not CHECKOV.exists():
        pytest.skip("checkov is not installed; `make checkov` installs it")
    command = [CHECKOV, "--directory", "terraform", "--framework", "terraform", "--skip-download", "--quiet"]
    done = subprocess.run(
        [*command, "--compact", "--output", "json"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    return json.loads(done.stdout)


@pytest.mark.slow
def test_checkov_finds_nothing(verdict: dict[str, Any]):
    """No check of checkov fails, and it has read the whole stack."""
    found = verdict.get("results", {}).get("failed_checks", [])
    failed = [f"{c['check_id']} {c['resource']} ({c['file_path']}): {c['check_name']}" for c in found]
    summary = verdict.get("summary", verdict)

    assert not failed, "\n".join(failed)
    assert (summary["failed"], summary["parsing_errors"]) == (0, 0)
    assert summary["passed"] > 400, "checkov has not read the modules"


def test_every_skip_gives_its_reason_and_is_counted():
    """A check is skipped where it does not apply, with a sentence that says why."""
    skips = [
        (source, found)
        for source in sorted((CHECKOUT / "terraform").rglob("*.tf"))
        for found in SKIP.finditer(source.read_text())
    ]
    silent = [
        f"{source.name}: {found['check']}"
        for source, found in skips
        if len((found["reason"] or "").strip(": ").split()) < 5
    ]

    assert not silent
    assert Counter(found["check"] for _, found in skips) == SKIPS
