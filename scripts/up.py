"""The offline AWS with the stack on it, left running: `make up`."""

from typing import Annotated

import typer
from rich.console import Console

from scripts.demo_view import View
from scripts.offline_machine import find_machine, start_machine
from scripts.stack_up import apply_with_progress, ends_in_order, say_how_to_reach


def main(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Its port; 0 takes a free one.")] = 0,
) -> None:
    """Start the offline AWS and apply the stack to it; to one that is up already, apply what changed."""
    view = View(Console(highlight=False))
    if machine := find_machine():
        view.console.print(f"The offline AWS is up already, at {machine.endpoint}.")
        with ends_in_order(view.console):
            apply_with_progress(view, machine)
        return
    with ends_in_order(view.console), start_machine(port=port) as (machine, stay):
        apply_with_progress(view, machine)
        outputs = machine.terraform().outputs()
        stay()
    say_how_to_reach(view.console, machine, outputs["buckets"]["raw"])


if __name__ == "__main__":
    typer.run(main)
