"""Once more what did not end well: `make replay RUN=<run id>` or `make replay QUARANTINE=<batch>`."""

from pathlib import Path
from typing import Annotated

import typer

from etl.errors import ArgumentsInvalid
from scripts.deployed import errors_in_a_line, poll_seconds, reach
from scripts.offline_machine import STATE_DIR
from scripts.replay_quarantine import parse_batch_id, replay_quarantine
from scripts.replay_run import replay_run
from scripts.terminal import open_console
from scripts.terraform import Environment


def main(
    run: Annotated[str, typer.Option(help="A run, as alerts name it; resumed where it failed.")] = "",
    quarantine: Annotated[
        str, typer.Option(help="A batch, as make quarantine names it; its quarantined rows are judged anew.")
    ] = "",
    env: Annotated[Environment, typer.Option(help="In which environment.")] = Environment.LOCAL,
    state_dir: Annotated[Path, typer.Option(help="Where the offline machine keeps its files.")] = STATE_DIR,
) -> None:
    """Resume a failed run, or submit quarantined rows again, and wait for the end."""
    console = open_console()
    with errors_in_a_line(console):
        if bool(run) == bool(quarantine):
            raise ArgumentsInvalid("say what to replay: RUN=<run id> or QUARANTINE=<batch>")
        if quarantine:
            parse_batch_id(quarantine)  # before anything is asked that may be away
        outputs = reach(env, "workflows", state_dir)
        if run:
            exit_code = replay_run(run, outputs, poll_seconds(env), console)
        else:
            exit_code = replay_quarantine(quarantine, outputs, env, console)
    raise typer.Exit(exit_code)


if __name__ == "__main__":
    typer.run(main)
