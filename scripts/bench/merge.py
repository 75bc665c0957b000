"""How fast a batch is merged into a table: Lakegate, delta-rs, pandas and PyIceberg's own upsert, in one run.

python -m scripts.bench.merge                    all cases, into build/bench.json
python -m scripts.bench.merge --case merge-10m-recent-upsert
python -m scripts.bench.merge --case merge-1034  the whole job, which scripts.bench.merge_job tells of
python -m scripts.bench.merge --rows 1000000     a smaller table, into no file

All merge the same batch into the same table of 7 columns and the lineage columns, on the local disk, with the
layout that scripts.bench.merge_rows tells; each in a process of its own. Programs take turns, each time from
the same state, and the best run of each is kept: what else the machine does can only add to a time. What
they leave is compared row by row. `seconds` are of the merge, with the batch in memory; `peak_rss_mb` is the
process's largest resident memory in that time. Megabytes read and written are those of read and write calls.
`delta-rs` is MERGE with its own options; `delta-rs-tuned` with the one that suits a batch for few files.
`floor` reads the keys of the files in question once and writes the files that change once, and does nothing
in between.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from etl.batch import MergeMode
from scripts.bench import merge_job
from scripts.bench.measured import RESULTS, Figures, keep_figures
from scripts.bench.merge_programs import Program
from scripts.bench.merge_rows import make_rows
from scripts.offline_aws.spark_runtime import PACKAGES, SparkMissing, require_spark
from scripts.package import CHECKOUT
from scripts.terminal import open_console

ROWS = 10_000_000
_LIMIT_SECONDS = 300  # for one merge: PyIceberg's upsert had no answer after 300
_SLOW_SECONDS = 30  # what takes longer is measured once
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    batch: str
    mode: MergeMode


CASES = (
    Case("merge-10m-recent-upsert", "recent", MergeMode.UPSERT),
    Case("merge-10m-recent-insert", "recent", MergeMode.INSERT_ONLY),
    Case("merge-10m-spread-upsert", "spread", MergeMode.UPSERT),
)


@dataclass(frozen=True, slots=True)
class Measured(Figures):
    read_mb: int
    written_mb: int
    content: str


@dataclass(frozen=True, slots=True)
class Bar:
    """What Lakegate has to reach on a case, as a text and as a test of the case's figures by program."""

    case: str
    says: str
    is_met: Callable[[dict[str, Figures]], bool]


BARS = (
    Bar(
        "merge-10m-recent-upsert",
        "no slower than delta-rs",
        lambda of: of["lakegate"].seconds <= of["delta-rs"].seconds,
    ),
    Bar(
        "merge-10m-recent-upsert",
        "at most half of delta-rs' memory",
        lambda of: of["lakegate"].peak_rss_mb <= of["delta-rs"].peak_rss_mb / 2,
    ),
    Bar(
        "merge-10m-recent-insert",
        "at least 2 times faster than delta-rs",
        lambda of: of["lakegate"].seconds <= of["delta-rs"].seconds / 2,
    ),
    Bar(
        "merge-10m-spread-upsert",
        "at most 3 times the floor",
        lambda of: of["lakegate"].seconds <= of["floor"].seconds * 3,
    ),
    Bar(merge_job.CASE, "the whole job in under 4 s", lambda of: of["lakegate"].seconds < 4),
    *(
        Bar(case.name, "peak memory under 1.5 GB", lambda of: of["lakegate"].peak_rss_mb < 1536)
        for case in CASES
    ),
)


class Tables:
    """Each program's table, as it was before any merge, as often as it is wanted."""

    def __init__(self, folder: Path):
        self.folder = folder

    def build(self, program: Program) -> None:
        if program is Program.PYICEBERG:
            return  # merges into Lakegate's
        _run(["build", program, str(self.folder)])
        (self.folder / program).rename(self._kept(program))

    def reset(self, program: Program) -> None:
        """Files of data are shared with the original: no program changes one that is there."""
        name = Program.LAKEGATE if program is Program.PYICEBERG else program
        shutil.rmtree(self.folder / name, ignore_errors=True)
        shutil.copytree(self._kept(name), self.folder / name, copy_function=_link_data)

    def _kept(self, program: Program) -> Path:
        return self.folder / f"{program}-before"


def _link_data(source: str, target: str) -> None:
    if source.endswith(".parquet"):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def measure(
    case: Case, programs: list[Program], tables: Tables, rounds: int, console: Console
) -> list[Measured]:
    """Every program on one case, in turns; without those that fail or do not end."""
    runs: dict[Program, list[Measured]] = {}
    done: set[Program] = set()
    for number in range(1, rounds + 1):
        for program in programs:
            if program in done or (program is Program.DELTA_RS_TUNED and case.batch == "spread"):
                continue  # of a batch for all files it could leave out none
            with console.status(f"{case.name}: {program}, round {number} of {rounds}"):
                tables.reset(program)
                found = _merge(case, program, tables)
            if isinstance(found, str):
                done.add(program)
                console.print(f"{case.name}: {program} {found}", style="yellow")
                continue
            runs.setdefault(program, []).append(found)
            if found.seconds > _SLOW_SECONDS:
                done.add(program)
    contents = {m.content for measured in runs.values() for m in measured} - {""}
    if len(contents) > 1:
        raise SystemExit(f"{case.name}: the programs do not agree on the merged table: {sorted(contents)}")
    return [min(measured, key=lambda m: m.seconds) for measured in runs.values()]


def _merge(case: Case, program: Program, tables: Tables) -> Measured | str:
    """Its figures, or what became of it instead."""
    try:
        told = json.loads(
            _run(["merge", program, str(tables.folder), case.batch, case.mode]).splitlines()[-1]
        )
    except subprocess.TimeoutExpired:
        return f"did not end within {_LIMIT_SECONDS} s"
    except subprocess.CalledProcessError as error:
        if program is not Program.PYICEBERG:
            raise SystemExit(f"{program} failed on {case.name}:\n{error.stderr}") from None
        last = (error.stderr.strip().splitlines() or [""])[-1]
        return f"was ended by signal {-error.returncode}" if error.returncode < 0 else f"failed: {last[:200]}"
    seconds = round(told["seconds"], 3)
    return Measured(
        case.name, program, seconds, told["peak_rss_mb"], told["read_mb"], told["written_mb"], told["content"]
    )


def _run(arguments: list[str]) -> str:
    command = [sys.executable, "-m", "scripts.bench.merge_programs", *arguments]
    limit = _LIMIT_SECONDS if arguments[0] == "merge" else None
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(PACKAGES)} if Program.SPARK in arguments else None,
        capture_output=True,
        text=True,
        check=True,
        timeout=limit,
    )
    return done.stdout


def _installed(console: Console) -> list[Program]:
    try:
        require_spark()
    except SparkMissing as missing:
        console.print(f"spark is left out: {missing}", style="yellow")
        return [program for program in Program if program is not Program.SPARK]
    return list(Program)


def show(measured: list[Figures], console: Console) -> None:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("case")
    table.add_column("program")
    for name in ("seconds", "times lakegate's", "peak MB", "MB read", "MB written"):
        table.add_column(name, justify="right")
    ours = {m.case: m for m in measured if m.program == Program.LAKEGATE}
    for m in measured:
        times = f"{m.seconds / ours[m.case].seconds:.1f}"
        moved = (str(m.read_mb), str(m.written_mb)) if isinstance(m, Measured) else ("", "")
        table.add_row(m.case, m.program, f"{m.seconds:.2f}", times, str(m.peak_rss_mb), *moved)
    console.print(table)
    for bar in BARS:
        of = {m.program: m for m in measured if m.case == bar.case}
        if of:
            console.print(f"{'met' if bar.is_met(of) else 'MISSED':>6}  {bar.case}: {bar.says}")


def _measure_tables(cases: list[Case], rows: int, rounds: int, console: Console) -> Iterator[Measured]:
    programs = _installed(console)
    with tempfile.TemporaryDirectory() as folder:
        tables = Tables(Path(folder))
        with console.status(f"making a table of {rows:,} rows"):
            make_rows(tables.folder, rows)
        for program in programs:
            with console.status(f"making {program}'s table"):
                tables.build(program)
        for case in cases:
            yield from measure(case, programs, tables, rounds, console)


def main(
    case: Annotated[list[str] | None, typer.Option(help="Only these; all otherwise.")] = None,
    rows: Annotated[int, typer.Option(help="Of the table; figures of another size are not kept.")] = ROWS,
    rounds: Annotated[int, typer.Option(help="How often each program merges; the best counts.")] = ROUNDS,
    out: Annotated[Path, typer.Option(help="Where the figures go, as JSON.")] = RESULTS,
) -> None:
    """Measure the merge against other programs, and say which bars it meets."""
    console = open_console(110)
    known = [*(c.name for c in CASES), merge_job.CASE]
    if unknown := [name for name in case or [] if name not in known]:
        raise typer.BadParameter(f"{', '.join(unknown)}: there are {', '.join(known)}")
    cases = [c for c in CASES if not case or c.name in case]
    measured: list[Figures] = list(_measure_tables(cases, rows, rounds, console)) if cases else []
    if not case or merge_job.CASE in case:
        with console.status(merge_job.CASE):
            measured.append(merge_job.measure_job(rounds))
    show(measured, console)
    if rows == ROWS:
        keep_figures(measured, out)
        console.print(f"Written to {out}", soft_wrap=True)


if __name__ == "__main__":
    typer.run(main)
