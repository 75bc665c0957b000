"""What the user gave a root module: its terraform.tfvars and the environment's TF_VAR_ variables."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hcl2

from scripts.aws_account import NotReady
from scripts.terraform_docs import read_module

_PREFIX = "TF_VAR_"


def given_values(root: Path) -> dict[str, Any]:
    """By name, with Terraform's precedence: a file overrides the environment. Raises NotReady."""
    values: dict[str, Any] = {
        name.removeprefix(_PREFIX): value for name, value in os.environ.items() if name.startswith(_PREFIX)
    }
    for file in (root / "terraform.tfvars", *sorted(root.glob("*.auto.tfvars"))):
        if file.exists():
            values |= _read(file)
    return values


def check_complete(root: Path, given: Mapping[str, Any]) -> None:
    """Every variable without a default has a value. Raises NotReady with those that have none."""
    module = read_module(root)
    missing = [
        name for name, block in module.named("variable") if "default" not in block and name not in given
    ]
    if missing:
        example, file = root / "terraform.tfvars.example", os.path.relpath(root / "terraform.tfvars")
        raise NotReady(
            f"{file} gives no {', '.join(missing)}: copy {example.name} beside it and fill it in, "
            f"or set {_PREFIX}{missing[0]}."
        )


def _read(file: Path) -> dict[str, Any]:
    try:
        parsed = hcl2.loads(file.read_text())
    except Exception as error:  # lark's, one class for each way of being wrong
        line = getattr(error, "line", "?")
        raise NotReady(
            f"{os.path.relpath(file)} cannot be read: something is wrong in line {line}."
        ) from None
    return {name: _plain(value) for name, value in parsed.items() if not name.startswith("__")}


def _plain(value: Any) -> Any:
    """The parser leaves strings in their quotes."""
    return json.loads(value) if isinstance(value, str) and value.startswith('"') else value
