"""Maintain the tables of a dataset now, instead of when its schedule says: `make maintain`."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from botocore import exceptions as aws
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from etl.run_files import maintenance_report_key
from scripts.offline_machine import STATE_DIR, MachineUnavailable, deployed_machine
from scripts.terminal import plain_table
from scripts.terraform import Environment, TerraformFailed, read_outputs

_POLL_SECONDS = 0.25
_REMOTE_POLL_SECONDS = 5.0
_ACTIVE = {"STARTING", "RUNNING", "STOPPING", "WAITING"}


class MaintenanceFailed(Exception):
    """The message says what to do; it is for people."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack: how it is reached, and where its jobs leave their logs."""

    client: Callable[[str], Any]
    outputs: Mapping[str, Any]
    logs: str
    poll_seconds: float


def main(
    dataset: Annotated[str | None, typer.Option(help="Whose tables; else those of all datasets.")] = None,
    env: Annotated[Environment, typer.Option(help="In which environment.")] = Environment.LOCAL,
    state_dir: Annotated[Path, typer.Option(help="Where the offline machine keeps its files.")] = STATE_DIR,
) -> None:
    """Run the maintenance job and tell what it did; a run that is under way already is waited for."""
    console = Console(highlight=False)
    try:
        stack = _find_local(state_dir) if env is Environment.LOCAL else _find_remote(env)
        jobs = stack.outputs.get("maintenance_jobs", {})
        if dataset and dataset not in jobs:
            raise MaintenanceFailed(
                f"There is no dataset {dataset} here; there is {', '.join(sorted(jobs))}."
            )
        for name in [dataset] if dataset else sorted(jobs):
            _maintain(stack, name, jobs[name], console)
    except (MaintenanceFailed, MachineUnavailable, TerraformFailed) as error:
        console.print(f"[bold red]✗[/] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from None
    except aws.ClientError as error:
        code, operation = error.response["Error"]["Code"], error.operation_name
        console.print(f"[bold red]✗[/] AWS refused {operation}: {code}.", soft_wrap=True)
        raise typer.Exit(1) from None
    except aws.BotoCoreError as error:
        console.print(f"[bold red]✗[/] AWS cannot be asked: {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        console.print("Not waiting any longer; the job runs on.")
        raise typer.Exit(130) from None


def _find_local(state_dir: Path) -> Stack:
    machine, outputs = deployed_machine("maintenance_jobs", state_dir)
    return Stack(machine.client, outputs, str(machine.state_dir / "logs"), _POLL_SECONDS)


def _find_remote(env: Environment) -> Stack:
    outputs = read_outputs(env)
    if "maintenance_jobs" not in outputs:
        raise MaintenanceFailed(
            f"Terraform's state of {env} names no maintenance job: apply the stack first."
        )
    return Stack(boto3.client, outputs, "CloudWatch", _REMOTE_POLL_SECONDS)


def _maintain(stack: Stack, dataset: str, job: str, console: Console) -> None:
    run = _await_end(stack, job, _start(stack, job), dataset, console)
    if run["JobRunState"] != "SUCCEEDED":
        said = run.get("ErrorMessage") or "it said nothing"
        raise MaintenanceFailed(
            f"The maintenance of {dataset} ended as {run['JobRunState']}: {said}\n"
            f"The tables hold the rows that they held. Logs: {stack.logs}, of run {run['Id']}."
        )
    bucket, key = stack.outputs["buckets"]["docs"], maintenance_report_key(dataset, run["Id"])
    report = json.loads(stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    console.print(f"[bold green]●[/] [bold]{dataset}[/] [dim]{report['seconds']['total']:.1f} s[/]")
    console.print(_table(report))
    if any(table["gave_way"] for table in report["tables"]):
        console.print("Writers came first each time, so some files wait for the next run.")
    console.print(f"[dim]The report: s3://{bucket}/{key}[/]", soft_wrap=True)


def _start(stack: Stack, job: str) -> str:
    glue = stack.client("glue")
    try:
        return glue.start_job_run(JobName=job)["JobRunId"]
    except glue.exceptions.ConcurrentRunsExceededException:
        runs = glue.get_job_runs(JobName=job)["JobRuns"]
        return next((run["Id"] for run in runs if run["JobRunState"] in _ACTIVE), runs[0]["Id"])


def _await_end(stack: Stack, job: str, run_id: str, dataset: str, console: Console) -> Mapping[str, Any]:
    glue, started = stack.client("glue"), time.monotonic()
    with console.status(f"Maintaining {dataset}") as status:
        while True:
            run = glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]
            if run["JobRunState"] not in _ACTIVE:
                return run
            state, seconds = run["JobRunState"].lower(), time.monotonic() - started
            status.update(f"Maintaining {dataset}: {state}, {seconds:.0f} s")
            time.sleep(stack.poll_seconds)


def _table(report: Mapping[str, Any]) -> Table:
    shown = plain_table()
    shown.add_column("")
    told = [_facts(table) for table in report["tables"]]
    for table in report["tables"]:
        shown.add_column(table["table"].replace(".", "\n"), justify="right")
    for name in told[0]:
        shown.add_row(name, *(facts[name] for facts in told))
    return shown


def _facts(table: Mapping[str, Any]) -> dict[str, str]:
    def change(name: str) -> str:
        before, after = table["before"][name], table["after"][name]
        return str(after) if before == after else f"{before} → {after}"

    return {
        "rows": change("rows"),
        "data files": change("data_files"),
        "... of them small": change("small_files"),
        "snapshots": change("snapshots"),
        "files joined": f"{table['files_joined']} into {table['files_written']}",
        "old rows deleted": str(table["rows_deleted"]),
        "orphans removed": str(table["orphans_removed"]),
        "freed, MiB": f"{table['bytes_freed'] / 2**20:.1f}",
    }


if __name__ == "__main__":
    typer.run(main)
