"""Gate and merge, interrupted at a sample of their AWS calls; `make torture` tries all of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.torture.points import Effect

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_an_interrupted_run_loses_and_doubles_nothing(tmp_path: Path):
    """After each sort of interruption, drawn anew each time, the lake is as after an uninterrupted run."""
    out = tmp_path / "torture.json"
    command = [sys.executable, "-m", "scripts.torture", "--every", "200", "--workers", "1", "--out", str(out)]
    ended = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    numbers = json.loads(out.read_text()) if out.exists() else {}

    assert ended.returncode == 0, ended.stdout + ended.stderr  # names the seed and each point
    assert numbers["points"] == numbers["survived"] >= len(Effect)
    assert set(numbers["kinds"]) == set(Effect)
