"""What `make demo` and `make up` share: an end in order, the stack applied, and how to reach the machine."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape

from scripts.demo_view import View
from scripts.offline_machine import REGION, Machine, MachineUnavailable, forget_own_account
from scripts.package import PackagingFailed
from scripts.runs import RunNotSeen
from scripts.terraform import Progress, TerraformFailed, find_terraform


@contextmanager
def ends_in_order(console: Console) -> Iterator[None]:
    """Turn what can go wrong into a message and an exit code, and every way of being stopped into an unwind.

    Terraform is looked for first: without it nothing else need begin. Settings of the user's own AWS account
    are dropped, since it is not the one that is meant.
    """
    forget_own_account()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    _stop_with_parent()
    try:
        find_terraform()
        yield
    except (MachineUnavailable, TerraformFailed, PackagingFailed, RunNotSeen) as error:
        console.print(f"[bold red]✗[/] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        console.print("Interrupted; nothing is left running.")
        raise typer.Exit(130) from None


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _stop_with_parent() -> None:
    """Stop when whoever started us (make) is gone, also if it was killed."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def apply_with_progress(view: View, machine: Machine) -> None:
    with view.step("Terraform applies the stack") as update:

        def tell(progress: Progress) -> None:
            leaf = ".".join(progress.resource.rsplit(".", 2)[-2:])
            update(f"{progress.done} of {progress.total} resources, {leaf}")

        applied = machine.apply_stack(tell)
    made = f"{applied.added} resources made, {applied.changed} changed, {applied.removed} removed"
    view.say(made)


def say_how_to_reach(console: Console, machine: Machine, raw_bucket: str) -> None:
    console.print(f"The offline AWS stays up at {machine.endpoint}. Any AWS client reaches it, for example")
    console.print(
        f"  AWS_ACCESS_KEY_ID=offline AWS_SECRET_ACCESS_KEY=offline AWS_DEFAULT_REGION={REGION} "
        f"aws --endpoint-url {machine.endpoint} s3 ls s3://{raw_bucket}/",
        soft_wrap=True,
    )
    console.print(f"What SNS mails is written to {os.path.relpath(machine.state_dir / 'outbox')}.")
    console.print("`make status` tells how it does, and `make docs` shows its Data Docs.")
    console.print("`make down` stops it, and with it all that it holds.")
