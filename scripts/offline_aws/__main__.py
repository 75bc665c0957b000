"""Command line: `python -m scripts.offline_aws --port 0 --state-dir build/offline`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from scripts.offline_aws.server import OfflineAws, PortTaken, StateDirTaken, log_to_file

TAKEN_EXIT_CODE = 69  # sysexits' EX_UNAVAILABLE
DETACH = b"detach"


def main(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    state_dir: Annotated[Path, typer.Option(help="Folder for logs, e-mails and unpacked code.")] = Path(
        "build/offline"
    ),
    lease: Annotated[
        bool, typer.Option(help="Stop when stdin ends, unless the line `detach` came before.")
    ] = False,
    region: Annotated[str, typer.Option(help="The region that is emulated.")] = "us-east-1",
) -> None:
    """Run the offline AWS until it is told to stop. Its endpoint is in STATE_DIR/endpoint.json."""
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    from scripts.offline_aws.alarms import evaluate_by_the_clock  # imports moto, which reads the environment

    try:
        log_to_file(state_dir)
        server = OfflineAws(state_dir, port, region)
    except (PortTaken, StateDirTaken) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(TAKEN_EXIT_CODE) from None
    except OSError as error:
        typer.echo(f"Cannot use {state_dir} as the state folder: {error.strerror}.", err=True)
        raise typer.Exit(TAKEN_EXIT_CODE) from None
    if lease:
        threading.Thread(target=_watch_lease, args=(stop,), name="lease", daemon=True).start()
    server.start()
    evaluate_by_the_clock(server.state)
    typer.echo(
        f"Offline AWS answers at {server.state.endpoint} (log: {server.state.logs_dir / 'server.log'})."
    )
    sys.stdout.flush()
    stop.wait()
    server.stop()
    # Threads of moto and of unfinished runs would hold up a normal exit; the guards of whatever was
    # started see their lease end with this process.
    os._exit(0)


def _watch_lease(stop: threading.Event) -> None:
    for line in sys.stdin.buffer:
        if line.strip() == DETACH:
            return
    stop.set()


if __name__ == "__main__":
    typer.run(main)
