"""Sample files of past days for the offline machine, landed unseen: something to try a backfill on.

They are in the raw zone as files are that came before the stack did, or whose events were lost.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from rich.console import Console

from scripts.deployed import errors_in_a_line, reach
from scripts.offline_machine import STATE_DIR
from scripts.sample_data import Fault, Recipe, make_sample
from scripts.terraform import Environment

_FAULTY = (Fault.UNKNOWN_DEPARTMENT, Fault.MISSING_COLUMN)


@contextmanager
def landing_unseen(events: Any, prefix: str) -> Iterator[None]:
    """Files land as they did before there was a stack, or where an event was lost.

    `events` is a client of EventBridge, `prefix` what the names of the stack begin with.
    """
    rule = f"{prefix}-object-created"
    events.disable_rule(Name=rule)
    try:
        yield
    finally:
        events.enable_rule(Name=rule)


def main(
    days: Annotated[int, typer.Option(min=1, max=60, help="How many days before today.")] = 7,
    state_dir: Annotated[Path, typer.Option(help="Where the offline machine keeps its files.")] = STATE_DIR,
) -> None:
    """Land a file of `employee` for each day; two rows of each are bad, and the second day's is rejected."""
    console = Console(highlight=False)
    with errors_in_a_line(console):
        outputs = reach(Environment.LOCAL, "buckets", state_dir)
        s3, today = boto3.client("s3"), datetime.now(UTC).date()
        prefix = outputs["workflows"]["employee"].removesuffix("-employee")
        with landing_unseen(boto3.client("events"), prefix):
            for ago in range(days, 0, -1):
                date = today - timedelta(days=ago)
                faults = (Fault.RENAMED_COLUMN,) if ago == days - 1 else _FAULTY
                sample = make_sample(Recipe(date=date, seed=ago, faults=faults))  # other people each day
                key = f"employee/dt={date}/past.csv"
                s3.put_object(Bucket=outputs["buckets"]["raw"], Key=key, Body=sample.content)
                console.print(f"landed {key}, {sample.report.rows} rows")
        first = today - timedelta(days=days)
        console.print(f"make backfill FROM={first} TO={today - timedelta(days=1)} DRY_RUN=1")


if __name__ == "__main__":
    typer.run(main)
