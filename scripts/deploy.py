"""The stack in an AWS account, with the user's own credentials: `make plan|apply|destroy|bootstrap ENV=dev`.

What is needed beforehand is looked at first; what is not there is told in one line, with exit code 2.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from scripts import up
from scripts.aws_account import Account, NotReady, find_account, has_state_bucket, state_backend
from scripts.demo_view import View
from scripts.offline_machine import find_machine
from scripts.package import ARTIFACTS, PackagingFailed, add_glue_wheels, build_artifacts
from scripts.terraform import (
    BOOTSTRAP,
    DEPLOY_DIR,
    Applied,
    Environment,
    Plan,
    Progress,
    Terraform,
    TerraformFailed,
    find_terraform,
    root_of,
)
from scripts.terraform_values import check_complete, given_values

_OLDEST = (1, 10)  # the S3 backend's own lock file

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)
Env = Annotated[Environment, typer.Option(help="Which environment.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; for a workflow that was approved elsewhere.")]
WorkDir = Annotated[Path, typer.Option(help="Where Terraform keeps what it needs to know between commands.")]


class Declined(Exception):
    pass


@app.command()
def plan(env: Env, work_dir: WorkDir = DEPLOY_DIR) -> None:
    """Show what an apply would change, and change nothing."""
    with _told() as view:
        terraform = _prepare_local() if env is Environment.LOCAL else _prepare(env, work_dir, view)
        planned = _plan(terraform, view)
        if not planned.is_empty:
            typer.echo(terraform.show(planned))


@app.command()
def apply(env: Env, yes: Yes = False, work_dir: WorkDir = DEPLOY_DIR) -> None:
    """Bring an environment to what this checkout says; prod is asked about, with the plan in sight."""
    if env is Environment.LOCAL:
        up.main(port=0)
        return
    with _told() as view:
        terraform = _prepare(env, work_dir, view)
        planned = _plan(terraform, view)
        if planned.is_empty:
            return
        if env is Environment.PROD:
            typer.echo(terraform.show(planned))
            _ask(f"change {env} as above", env, yes)
        _apply(terraform, planned, view)
        raw = terraform.outputs()["buckets"]["raw"]
        view.say(f"Files land in s3://{raw}/<dataset>/dt=YYYY-MM-DD/. docs/deploy.md says what to do next.")


@app.command()
def destroy(env: Env, yes: Yes = False, work_dir: WorkDir = DEPLOY_DIR) -> None:
    """Remove an environment, with all that it holds; that is asked about, always."""
    with _told() as view:
        terraform = _prepare_local() if env is Environment.LOCAL else _prepare(env, work_dir, view)
        planned = _plan(terraform, view, "-destroy")
        if planned.is_empty:
            return
        if env is not Environment.LOCAL:
            _ask(f"remove all {planned.removed} resources of {env}, and every file and row in them", env, yes)
        _apply(terraform, planned, view)


@app.command()
def bootstrap(env: Env, yes: Yes = False, work_dir: WorkDir = DEPLOY_DIR) -> None:
    """Make what has to be there before an environment can be: once per account and region."""
    with _told() as view:
        if env is Environment.LOCAL:
            raise NotReady(
                "The offline AWS needs no bootstrap: `make up` keeps Terraform's state in build/offline."
            )
        find_terraform(_OLDEST)
        shared = ("region", "account_id", "owner", "cost_centre")
        given = given_values(root_of(env)) | given_values(root_of(BOOTSTRAP))
        check_complete(root_of(env), {"region": None} | given)
        account = _find_account(given, view)
        variables = {name: str(given[name]) for name in shared if name in given} | {"region": account.region}
        terraform = Terraform(BOOTSTRAP, work_dir / account.state_bucket, variables)
        with _state_of_bootstrap(terraform, account, work_dir / account.state_bucket, view):
            planned = _plan(terraform, view)
            if not planned.is_empty:
                typer.echo(terraform.show(planned))
                _ask(f"change {account} as above", env, yes)
                _apply(terraform, planned, view)
        view.say(f"The state of Terraform is kept in {account.state_bucket}. Next: make plan ENV={env}")


@contextmanager
def _told() -> Iterator[View]:
    """Turn what can go wrong into a message and an exit code."""
    view = View(Console(highlight=False))
    try:
        yield view
    except NotReady as error:
        view.console.print(f"[bold red]✗[/] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(2) from None
    except (TerraformFailed, PackagingFailed) as error:
        view.console.print(f"[bold red]✗[/] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from None
    except Declined:
        view.console.print("Nothing was changed.")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        view.console.print(
            "Interrupted. What was changed is in the state; the same command goes on from there."
        )
        raise typer.Exit(130) from None


def _prepare(env: Environment, work_dir: Path, view: View) -> Terraform:
    """Terraform, initialised for an environment whose needs are met, and built what it uploads."""
    find_terraform(_OLDEST)
    given = given_values(root_of(env))
    check_complete(root_of(env), {"region": None} | given)
    account = _find_account(given, view)
    backend = state_backend(account)
    with view.step("The datasets are checked, and built is what the account gets") as update:
        build_artifacts(ARTIFACTS)
        add_glue_wheels(ARTIFACTS, lambda begun, wanted: update(f"{begun} of {wanted} wheels for the jobs"))
    terraform = Terraform(env, work_dir, {"region": account.region})
    with view.step("Terraform looks at its provider and its state"):
        terraform.init(*backend)
    return terraform


def _prepare_local() -> Terraform:
    machine = find_machine()
    if not machine:
        raise NotReady("No offline AWS is running here: `make up` starts one, and applies the stack to it.")
    build_artifacts(machine.state_dir / "artifacts")
    return machine.terraform()


def _find_account(given: dict[str, Any], view: View) -> Account:
    account = find_account(given)
    view.console.print(f"[bold green]●[/] {escape(str(account))}", soft_wrap=True)
    return account


def _plan(terraform: Terraform, view: View, *options: str) -> Plan:
    with view.step("Terraform compares what is there with what should be") as update:
        planned = terraform.plan(lambda p: update(f"{p.done} read"), *options)
    if planned.is_empty:
        view.say("Nothing differs.")
    else:
        view.say(f"{planned.added} to add, {planned.changed} to change, {planned.removed} to remove")
    return planned


def _apply(terraform: Terraform, planned: Plan, view: View) -> Applied:
    with view.step("Terraform applies the plan") as update:

        def tell(progress: Progress) -> None:
            update(f"{progress.done} of {progress.total} resources, {progress.resource}")

        applied = terraform.apply_plan(planned, tell)
    view.say(f"{applied.added} resources made, {applied.changed} changed, {applied.removed} removed")
    return applied


def _ask(what: str, word: str, yes: bool) -> None:
    """Raises Declined unless the user types the word; NotReady where nobody can."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise NotReady(f"Nobody is here to be asked whether to {what}: run it on a terminal, or with YES=1.")
    if input(f"Type {word} to {what}: ").strip() != word:
        raise Declined


@contextmanager
def _state_of_bootstrap(terraform: Terraform, account: Account, work_dir: Path, view: View) -> Iterator[None]:
    """The first time, the bucket of the state is not there: the state lies here until it is, then moves in.

    An override file makes it so, as https://developer.hashicorp.com/terraform/language/files/override has it.
    A run that was interrupted finds its state here, and goes on.
    """
    override = root_of(BOOTSTRAP) / "backend_override.tf"
    override.unlink(missing_ok=True)
    kept_here = work_dir / "bootstrap.tfstate"
    if not kept_here.exists() and has_state_bucket(account):
        terraform.init(*state_backend(account))
        yield
        return
    try:
        override.write_text('terraform {\n  backend "local" {}\n}\n')
        terraform.init(f"path={kept_here}")
        yield
    finally:
        override.unlink(missing_ok=True)
    with view.step("The state moves into its bucket"):
        terraform.move_state(*state_backend(account))
    for file in (kept_here, kept_here.with_name(f"{kept_here.name}.backup")):
        file.unlink(missing_ok=True)


if __name__ == "__main__":
    app()
