"""A deployed stack, as those reach it who operate it: the offline machine, or an account of AWS."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import typer
from botocore import exceptions as aws
from rich.console import Console
from rich.markup import escape

from etl.errors import ArgumentsInvalid, LakegateError
from scripts.aws_account import NOT_SIGNED_IN
from scripts.offline_machine import ADMINISTRATOR, REGION, STATE_DIR, MachineUnavailable, deployed_machine
from scripts.terraform import Environment, TerraformFailed, read_outputs


def reach(env: Environment, needed_output: str, state_dir: Path = STATE_DIR) -> dict[str, Any]:
    """The outputs of the stack, `needed_output` among them; from here on this process's AWS is where it is.

    Raises MachineUnavailable, TerraformFailed.
    """
    if env is Environment.LOCAL:
        machine, outputs = deployed_machine(needed_output, state_dir)
        os.environ |= {name.upper(): value for name, value in ADMINISTRATOR.items()}
        os.environ |= {
            "AWS_ENDPOINT_URL": machine.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }
        return outputs
    outputs = read_outputs(env)
    if needed_output not in outputs:
        raise TerraformFailed(f"Terraform's state of {env} names no {needed_output}: apply the stack first.")
    return outputs


def poll_seconds(env: Environment) -> float:
    """How long to wait before AWS is asked again."""
    return 0.25 if env is Environment.LOCAL else 5.0


def client_as(role_arn: str, service: str) -> Any:
    """A client of whoever holds the role: we ourselves, or we once we have assumed it."""
    sts, role = boto3.client("sts"), role_arn.rpartition("/")[2]
    if f":assumed-role/{role}/" in sts.get_caller_identity()["Arn"]:
        return boto3.client(service)
    found = sts.assume_role(RoleArn=role_arn, RoleSessionName=role)["Credentials"]
    return boto3.client(
        service,
        aws_access_key_id=found["AccessKeyId"],
        aws_secret_access_key=found["SecretAccessKey"],
        aws_session_token=found["SessionToken"],
    )


@contextmanager
def errors_in_a_line(console: Console) -> Iterator[None]:
    """Turn what can go wrong into one line and an exit code: 2 when nothing was tried, 1 when AWS refused."""
    try:
        yield
    except (MachineUnavailable, TerraformFailed) as error:
        _tell(console, str(error).partition("\n")[0])
        raise typer.Exit(2) from None
    except LakegateError as error:
        _tell(console, str(error))
        raise typer.Exit(error.exit_code) from None
    except aws.ClientError as error:
        code, operation = error.response["Error"]["Code"], error.operation_name
        _tell(console, f"AWS refused {operation}: {code}.")
        raise typer.Exit(2 if code in NOT_SIGNED_IN else 1) from None
    except aws.BotoCoreError as error:
        _tell(console, f"AWS cannot be asked: {error}")
        raise typer.Exit(2) from None


def choose_dataset(asked: str | None, outputs: dict[str, Any]) -> str:
    """The dataset asked for, or the only one there is. Raises ArgumentsInvalid."""
    known = sorted(outputs["workflows"])
    if asked is None and len(known) == 1:
        return known[0]
    if asked not in known:
        problem = f"there is no dataset {asked}" if asked else "say which dataset"
        raise ArgumentsInvalid(f"{problem}: DATASET={' or DATASET='.join(known)}")
    return asked


def _tell(console: Console, problem: str) -> None:
    console.print(f"[bold red]✗[/] {escape(problem)}", soft_wrap=True)
