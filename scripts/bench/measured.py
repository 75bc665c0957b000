"""What every measurement has in common: its figures, the file they go to, and how a process counts itself."""

import contextlib
import json
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.package import CHECKOUT

RESULTS = CHECKOUT / "build" / "bench.json"


@dataclass(frozen=True, slots=True)
class Figures:
    case: str
    program: str
    seconds: float
    peak_rss_mb: int


def keep_figures(figures: Sequence[Figures], path: Path) -> None:
    """Put them into the list in the file in place of what it has of their cases."""
    cases = {measured.case for measured in figures}
    told = json.loads(path.read_text()) if path.exists() else []
    told = [entry for entry in told if entry["case"] not in cases]
    names = ("case", "program", "seconds", "peak_rss_mb")
    told += [{name: getattr(measured, name) for name in names} for measured in figures]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=2) + "\n")


def peak_rss_mb(process: int | str = "self") -> int:
    found = high_water_mb(process)
    if found is None:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 2**20  # macOS counts bytes
    return found


def high_water_mb(process: int | str) -> int | None:
    """None where the system does not tell, and for a process that has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) // 1024
    return None


def forget_peak(process: int | str = "self") -> None:
    """So that the peak is of what comes after; where the system cannot, it is of the whole process."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{process}/clear_refs").write_text("5")
