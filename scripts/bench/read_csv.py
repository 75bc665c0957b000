"""How long it takes to read a clean file strictly, against pyarrow.csv with its defaults.

    python -m scripts.bench.read_csv --rows 1000000

Two files of the same employees: one without any quote, one with all text quoted. The bar is 1.5 times. Each
is read several times, in turn with pyarrow.csv so that both meet the same machine, and the fastest counts.
Seconds on the clock depend on what else the machine does; seconds of processors, of all threads, do so less.
"""

import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import typer
from pyarrow import csv as arrow_csv

from etl.contract import Contract, load_contract
from etl.steps.read_csv import read_rows
from scripts.sample_people import COLUMNS, people

CONTRACT = Path(__file__).parents[2] / "expectations" / "employee" / "contract.yaml"
QUOTING = {"without quotes": "none", "text quoted": "needed"}  # Arrow's names of it


class Seconds(NamedTuple):
    clock: float
    processors: float


def main(
    rows: Annotated[int, typer.Option(help="Rows of each file.")] = 1_000_000,
    times: Annotated[int, typer.Option(help="How often each is read; the fastest counts.")] = 7,
) -> None:
    """Print the seconds of both, and how many times as long the strict way takes."""
    contract = load_contract(CONTRACT.read_text("utf-8"), CONTRACT.name)
    everybody = _without_commas(people(rows, date(2026, 11, 24), seed=7))
    typer.echo(f"{rows:,} rows, {len(COLUMNS)} columns, {pa.cpu_count()} processors")
    typer.echo(f"{'':16}{'pyarrow.csv':>22}{'lakegate':>22}{'times as long':>22}")
    typer.echo(f"{'':16}" + 3 * f"{'clock':>11}{'processors':>11}")
    for name, quoting in QUOTING.items():
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            arrow_csv.write_csv(everybody, file.name, arrow_csv.WriteOptions(quoting_style=quoting))
            plain, strict = _compare(Path(file.name), contract, times)
        ratios = (strict.clock / plain.clock, strict.processors / plain.processors)
        typer.echo(f"{name:16}" + "".join(f"{value:11.3f}" for value in (*plain, *strict, *ratios)))


def _without_commas(rows: pa.Table) -> pa.Table:
    """So that no value needs a quote."""
    titles = pc.replace_substring(rows["job_title"], ",", " -")
    return rows.set_column(COLUMNS.index("job_title"), "job_title", titles)


def _compare(path: Path, contract: Contract, times: int) -> tuple[Seconds, Seconds]:
    def read_strictly() -> None:
        with path.open("rb") as stream:
            read_rows(stream, path.name, contract)

    pairs = [(_timed(lambda: arrow_csv.read_csv(path)), _timed(read_strictly)) for _ in range(times)]
    plain, strict = (Seconds(*map(min, zip(*runs, strict=True))) for runs in zip(*pairs, strict=True))
    return plain, strict


def _timed(read: Callable[[], object]) -> Seconds:
    clock, processors = time.perf_counter(), time.process_time()
    read()
    return Seconds(time.perf_counter() - clock, time.process_time() - processors)


if __name__ == "__main__":
    typer.run(main)
