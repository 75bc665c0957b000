"""What `make demo` and `make up` share: the stack applied with progress, and how to reach the machine."""

from rich.console import Console

from scripts.demo_view import View
from scripts.offline_machine import Machine
from scripts.terraform import Progress


def apply_with_progress(view: View, machine: Machine) -> None:
    with view.step("Terraform applies the stack") as update:

        def tell(progress: Progress) -> None:
            update(f"{progress.done} of {progress.total} resources, {progress.resource}")

        applied = machine.apply_stack(tell)
    view.check(f"{applied.added} resources were made", applied.added > 0)
    slowest = (f"{resource} {seconds} s" for resource, seconds in applied.slowest[:3])
    view.say(f"Slowest: {', '.join(slowest)}")


def say_how_to_reach(console: Console, machine: Machine, raw_bucket: str) -> None:
    console.print(f"The offline AWS stays up at {machine.endpoint}. Any AWS client reaches it, for example")
    console.print(
        "  AWS_ACCESS_KEY_ID=offline AWS_SECRET_ACCESS_KEY=offline AWS_REGION=us-east-1 "
        f"aws --endpoint-url {machine.endpoint} s3 ls s3://{raw_bucket}/",
        soft_wrap=True,
    )
    console.print("`make docs` shows its Data Docs; `make down` stops it.")
