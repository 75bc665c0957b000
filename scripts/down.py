"""Stop the offline AWS: `make down`."""

import typer

from scripts.offline_machine import find_machine, stop_machine


def main() -> None:
    """Stop the offline AWS of this checkout, if it runs; its logs stay."""
    machine = find_machine()
    if not machine:
        typer.echo("No offline AWS is running here.")
        return
    stop_machine(machine)
    typer.echo(f"Stopped the offline AWS at {machine.endpoint}.")


if __name__ == "__main__":
    typer.run(main)
