"""What a backfill would do, date by date, on the terminal: `make backfill DRY_RUN=1`. Nothing is written."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from etl.aws.clients import client
from etl.aws.lake import Lake
from etl.errors import ArgumentsInvalid
from etl.operations.backfill import Day
from etl.preview import BackfillPreview, Preview
from etl.settings import Settings, from_job_arguments
from scripts.terminal import plain_table


def preview_days(days: Sequence[Day], dataset: str, outputs: Mapping[str, Any], console: Console) -> bool:
    """Whether each file would be let in."""
    workflow = outputs["workflows"][dataset]
    preview, found = BackfillPreview(Lake(_settings(workflow))), list[tuple[Day, Preview]]()
    try:
        with console.status("Reading") as status:
            for day in days:
                for batch in day.batches:
                    status.update(f"Reading {day.date}, {batch.size_bytes / 2**20:.1f} MiB")
                    found.append((day, preview.of(batch)))
    except OSError as error:  # Arrow's, of S3: it may name objects
        raise ArgumentsInvalid(
            f"the rows cannot be read ({type(error).__name__}): a dry run takes the rights of gate and merge "
            "to read the raw and the processed zone"
        ) from None
    console.print(_table(found))
    for day, one in found:
        if not one.verdict.lets_rows_pass:
            console.print(f"[bold red]✗[/] {day.date} {one.verdict}: {escape(one.why or '')}", soft_wrap=True)
    console.print("[dim]A dry run: nothing was written.[/]")
    return all(one.verdict.lets_rows_pass for _, one in found)


def _settings(workflow: str) -> Settings:
    """Those that the deployed gate job runs with."""
    arguments = client("glue").get_job(JobName=f"{workflow}-gate")["Job"]["DefaultArguments"]
    given = {name.removeprefix("--"): value for name, value in arguments.items()}
    return from_job_arguments(given | {"WORKFLOW_NAME": workflow, "WORKFLOW_RUN_ID": "dry-run"})


def _table(found: Sequence[tuple[Day, Preview]]) -> Table:
    table = plain_table()
    table.add_column("date")
    table.add_column("file version")
    for name in ("read", "to insert", "already there", "conflicts", "to quarantine"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for day, one in found:
        version = next(b.version_id for b in day.batches if b.batch_id == one.batch_id)
        counts = (one.rows_read, one.inserted, one.already_there, one.conflicts, one.quarantined)
        table.add_row(str(day.date), version[:8], *map(str, counts), one.verdict)
    return table
