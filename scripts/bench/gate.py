"""How fast the gate judges: Lakegate, plain Great Expectations on pandas, and Polars by hand, in one run.

python -m scripts.bench.gate            all cases, into build/bench.json
python -m scripts.bench.gate --case gate-1m

Each program runs in a process of its own over the same Arrow file and the same 24 expectations of the
gallery, with 0.1 % of the rows bad for each rule that judges rows. `seconds` are of the validation alone,
with the data in memory, in the form the program takes; in gate-1034 of the whole process, from start to end.
`peak_rss_mb` is the process's largest resident memory during that time. Programs take turns, and the best of
each is kept: what else the machine does can only add to a time.
"""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.feather as feather
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from scripts.bench.gate_rows import dirty_people
from scripts.bench.measured import RESULTS, Figures, keep_figures
from scripts.package import CHECKOUT
from scripts.terminal import open_console

ON = date(2026, 11, 24)


class Program(StrEnum):
    LAKEGATE = "lakegate"
    GX_PANDAS = "gx-pandas"
    FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    rows: int
    rounds: int


CASES = (Case("gate-1034", 1_034, 5), Case("gate-1m", 1_000_000, 3), Case("gate-10m", 10_000_000, 2))
_IS_WHOLE_PROCESS = {"gate-1034"}


@dataclass(frozen=True, slots=True)
class Measured(Figures):
    failed_rows: int


def measure(case: Case, console: Console) -> list[Measured]:
    """Every program on one case, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "rows.arrow"
        with console.status(f"{case.name}: making {case.rows:,} rows"):
            rows: pa.Table = dirty_people(case.rows, ON)
            feather.write_feather(rows, data, compression="uncompressed")
            del rows
        runs: dict[Program, list[Measured]] = {program: [] for program in Program}
        for number in range(1, case.rounds + 1):
            for program in Program:
                with console.status(f"{case.name}: {program}, round {number} of {case.rounds}"):
                    runs[program].append(_run(case, program, data))
    best = [min(runs[program], key=lambda m: m.seconds) for program in Program]
    if len(found := {measured.failed_rows for measured in best}) > 1:
        raise SystemExit(f"{case.name}: the programs do not agree on the rows that failed: {sorted(found)}")
    return best


def _run(case: Case, program: Program, data: Path) -> Measured:
    command = [sys.executable, "-m", "scripts.bench.gate_programs", program, str(data), ON.isoformat()]
    started = time.monotonic()
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    whole = time.monotonic() - started
    if done.returncode:
        raise SystemExit(f"{program} failed on {case.name}:\n{done.stderr}")
    told = json.loads(done.stdout.splitlines()[-1])
    seconds = whole if case.name in _IS_WHOLE_PROCESS else told["seconds"]
    return Measured(case.name, program, round(seconds, 3), told["peak_rss_mb"], told["failed_rows"])


def show(measured: list[Measured], console: Console) -> None:
    """A table with each program's share of what plain GX takes."""
    plain = {m.case: m for m in measured if m.program == Program.GX_PANDAS}
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("case")
    table.add_column("program")
    for name in ("seconds", "times as fast as gx-pandas", "peak MB", "of gx-pandas' peak"):
        table.add_column(name, justify="right")
    for m in measured:
        table.add_row(
            m.case,
            m.program,
            f"{m.seconds:.2f}",
            f"{plain[m.case].seconds / m.seconds:.1f}",
            str(m.peak_rss_mb),
            f"{100 * m.peak_rss_mb / plain[m.case].peak_rss_mb:.0f} %",
        )
    console.print(table)


def main(
    case: Annotated[list[str] | None, typer.Option(help="Only these; all otherwise.")] = None,
    out: Annotated[Path, typer.Option(help="Where the figures go, as JSON.")] = RESULTS,
) -> None:
    """Measure the gate's validation against plain GX and against hand-written Polars."""
    console = open_console(110)
    known = [c.name for c in CASES]
    if unknown := [name for name in case or [] if name not in known]:
        raise typer.BadParameter(f"{', '.join(unknown)}: there are {', '.join(known)}")
    measured = [m for c in CASES if not case or c.name in case for m in measure(c, console)]
    show(measured, console)
    keep_figures(measured, out)
    console.print(f"Written to {out}", soft_wrap=True)


if __name__ == "__main__":
    typer.run(main)
