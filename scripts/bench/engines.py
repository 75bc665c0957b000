"""Where Spark begins to pay: gate and merge of the same files on either engine, on this machine.

    make bench ONLY=engines
    python -m scripts.bench.engines --rows 10000 --rows 300000

Each job is a process from its start to its exit, against the offline AWS. Both engines have this machine's
processors, so Spark cannot win here; what is measured is what it costs to start, and what a million rows take
more than on one process. docs/engines.md makes of these figures from where on a cluster is faster.
"""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from scripts.bench.measured import RESULTS, Figures, keep_figures
from scripts.bench.merge_job import offline_aws, run_job
from scripts.offline_aws.execution import DEPLOYED_ONLY
from scripts.offline_aws.glue_jobs import RUNTIME
from scripts.offline_aws.server import OfflineAws
from scripts.offline_aws.spark_runtime import (
    GLUE_CATALOG,
    PACKAGES,
    SparkMissing,
    require_spark,
    spark_environment,
)
from scripts.package import CHECKOUT
from scripts.sample_data import Recipe, make_sample
from scripts.torture.world import World

SIZES = (10_000, 300_000)
_ON = date(2026, 11, 24)
_ENGINES = ("single_node", "spark")


def measure(rows: int) -> Iterator[Figures]:
    """Gate, and merge into an empty table, on either engine."""
    content = make_sample(Recipe(rows=rows, date=_ON)).content
    with offline_aws() as (aws, folder):
        for engine in _ENGINES:
            feed = dict.fromkeys(("first", "nightly", "backfill"), (_ON, content))
            world = World(aws.state, f"{engine}{rows}".replace("_", ""), feed)
            world.build()
            _ask_for(engine, world)
            environment = _spark(aws, folder) if engine == "spark" else {}
            for step in ("gate", "merge"):
                seconds, peak = run_job(step, "first", world, folder, environment)
                yield Figures(f"engines-{step}-{rows}", engine, round(seconds, 1), peak)


def _ask_for(engine: str, world: World) -> None:
    for path in (CHECKOUT / "expectations" / "employee").iterdir():
        text = path.read_text().replace("value: single_node", f"value: {engine}")
        key = f"expectations/employee/{path.name}"
        world.s3.put_object(Bucket=world.bucket("artifacts"), Key=key, Body=text.encode())


def _spark(aws: OfflineAws, folder: Path) -> dict[str, str]:
    paths = (DEPLOYED_ONLY, RUNTIME, CHECKOUT, PACKAGES)
    jit = {"spark.driver.extraJavaOptions": f"-Djava.io.tmpdir={folder}"}  # with all compilers, as on Glue
    found = spark_environment(aws.state.endpoint, GLUE_CATALOG | jit, folder)
    return {**found, "PYTHONPATH": os.pathsep.join(map(str, paths))}


def main(
    rows: Annotated[list[int] | None, typer.Option(help="Rows of a file; several times for several.")] = None,
    out: Annotated[Path, typer.Option(help="Where the figures are kept.")] = RESULTS,
) -> None:
    """Measure gate and merge on either engine."""
    console = Console()
    try:
        require_spark()
    except SparkMissing as missing:
        console.print(f"the engines are not measured: {missing}", style="yellow")
        return
    table = Table("case", "engine", "seconds", title="Gate and merge, process start to exit")
    figures = [measured for size in rows or SIZES for measured in measure(size)]
    for measured in figures:
        table.add_row(measured.case, measured.program, f"{measured.seconds:.1f}")
    console.print(table)
    keep_figures(figures, out)


if __name__ == "__main__":
    typer.run(main)
