"""The keys that a merge's report lists as hashes, for a data steward: `python -m scripts.find_keys RUN_ID`.

Shows names, on the terminal alone. It takes the right to read the docs and the processed zone.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import typer
from botocore import exceptions as aws
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from etl.aws.catalog import open_catalog
from etl.aws.object_store import read_object
from etl.contract import load_contract
from etl.errors import ObjectMissing
from etl.key import Key
from etl.run_files import merge_report_key
from etl.steps.keys import normalise_key
from etl.steps.listed_keys import hash_keys
from scripts.check_dataset import EXPECTATIONS
from scripts.deployed import reach
from scripts.offline_machine import STATE_DIR, MachineUnavailable
from scripts.terraform import Environment, TerraformFailed

_LISTS = {"conflict_keys": "conflict", "split_keys": "suspected split", "collision_keys": "collision"}

Found = tuple[str, dict[str, Any]]  # what it is wanted as, and the key as it stands in the table


class KeysUnavailable(Exception):
    """The message says what to do, in one line; it is for people."""


def main(
    run_id: Annotated[str, typer.Argument(help="The run, as its alert and its report name it.")],
    dataset: Annotated[str, typer.Option(help="Of which dataset.")] = "employee",
    env: Annotated[Environment, typer.Option(help="In which environment.")] = Environment.LOCAL,
    state_dir: Annotated[Path, typer.Option(help="Where the offline machine keeps its files.")] = STATE_DIR,
) -> None:
    """Show the keys that the run's merge.json lists by hash, as they stand in the table now."""
    console = Console(highlight=False)
    try:
        outputs = reach(env, "databases", state_dir)
        found = _find(run_id, dataset, outputs)
    except (KeysUnavailable, MachineUnavailable, TerraformFailed, ObjectMissing) as error:
        console.print(f"[bold red]✗[/] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from None
    except (aws.ClientError, aws.BotoCoreError) as error:
        console.print(f"[bold red]✗[/] AWS cannot be asked: {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from None
    _show(found, console)


def find_keys(
    batches: Iterable[pa.Table], key: Key, secret: bytes, wanted: Mapping[str, str]
) -> Iterator[Found]:
    """Those rows of `batches`, the key columns of a table, whose hash is among `wanted`."""
    for rows in batches:
        hashes = [*hash_keys(normalise_key(rows, key), secret)]
        positions = np.flatnonzero([found in wanted for found in hashes])
        for position, row in zip(positions, rows.take(pa.array(positions)).to_pylist(), strict=True):
            yield wanted[hashes[position]], row


def _find(run_id: str, dataset: str, outputs: Mapping[str, Any]) -> list[Found]:
    """Raises KeysUnavailable, ObjectMissing."""
    source = EXPECTATIONS / dataset / "contract.yaml"
    if not source.is_file():
        raise KeysUnavailable(f"There is no dataset {dataset} in {EXPECTATIONS.name}/.")
    report = json.loads(read_object(outputs["buckets"]["docs"], merge_report_key(dataset, run_id)))
    wanted: dict[str, str] = {}
    for name, what in _LISTS.items():
        wanted |= {found: f"{wanted[found]}, {what}" if found in wanted else what for found in report[name]}
    if not wanted:
        raise KeysUnavailable(f"The report of {run_id} lists no keys.")
    key = load_contract(source.read_text("utf-8"), str(source), dataset).key
    catalog = open_catalog(os.environ.get("AWS_ENDPOINT_URL"))
    table = catalog.load_table((outputs["databases"]["processed"], dataset))
    batches = table.scan(selected_fields=tuple(key)).to_arrow_batch_reader()
    tables = (pa.Table.from_batches([batch]).select(list(key)) for batch in batches)
    found = find_keys(tables, key, table.metadata.table_uuid.bytes, wanted)
    return sorted(found, key=lambda one: one[0])


def _show(found: list[Found], console: Console) -> None:
    table = Table("", *(found[0][1] if found else ()))
    for what, row in found:
        table.add_row(what, *(escape(str(value)) for value in row.values()))
    console.print(table if found else "None of the keys is in the table any more.")


if __name__ == "__main__":
    typer.run(main)
