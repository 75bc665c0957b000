"""All measurements: `make bench`, or one of them with `make bench ONLY=gate`."""

from enum import StrEnum
from typing import Annotated

import typer

from scripts.bench import engines, gate, merge, read_csv


class Measurement(StrEnum):
    ENGINES = "engines"
    GATE = "gate"
    MERGE = "merge"
    READ_CSV = "read_csv"


def main(only: Annotated[Measurement | None, typer.Option(help="Just this one.")] = None) -> None:
    """Measure Lakegate against other programs, each pair in one run."""
    if only in (None, Measurement.GATE):
        gate.main(case=None, out=gate.RESULTS)
    if only in (None, Measurement.MERGE):
        merge.main(case=None, rows=merge.ROWS, rounds=merge.ROUNDS, out=merge.RESULTS)
    if only in (None, Measurement.READ_CSV):
        read_csv.main(rows=1_000_000, times=7)
    if only in (None, Measurement.ENGINES):
        engines.main(rows=None, out=engines.RESULTS)


if __name__ == "__main__":
    typer.run(main)
