"""The README of every Terraform module: hand-written text, then what terraform-docs would generate.

    python -m scripts.terraform_docs

What is generated stands between terraform-docs' own markers, in the form of its `markdown table`. The program
itself is written in Go; this way a checkout needs nothing but its Python environment.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2
import typer
from rich.progress import track

from scripts.package import CHECKOUT

TERRAFORM = CHECKOUT / "terraform"
BEGIN, END = "<!-- BEGIN_TF_DOCS -->", "<!-- END_TF_DOCS -->"


class ReadmeMissing(Exception):
    """A module has no text of its own, or cannot be read: the message says which."""


@dataclass(frozen=True, slots=True)
class Module:
    """What the files of one folder declare, by Terraform's block types, their blocks in the files' order."""

    folder: Path
    blocks: dict[str, list[dict[str, Any]]]

    def named(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Blocks with one label, such as variables, by name."""
        found = (item for block in self.blocks.get(kind, []) for item in _labelled(block))
        return iter(sorted(found, key=lambda item: item[0]))

    def typed(self, kind: str) -> Iterator[str]:
        """Addresses of blocks with two labels: resources and data sources."""
        found = (f"{type_}.{name}" for type_, inner in self.named(kind) for name, _ in _labelled(inner))
        return iter(sorted(found))


def find_modules() -> list[Path]:
    """Every folder with Terraform in it."""
    return sorted({source.parent for source in TERRAFORM.rglob("*.tf") if ".terraform" not in source.parts})


def readme_of(folder: Path) -> str:
    """The README as it should be: the text that stands in it, and the generated part anew.

    Raises ReadmeMissing where nobody wrote what the module is for.
    """
    path = folder / "README.md"
    text = path.read_text() if path.exists() else ""
    before, _, rest = text.partition(BEGIN)
    if len(before.split()) < 10:
        raise ReadmeMissing(f"{os.path.relpath(path)} wants a title and a paragraph: what the module is for.")
    after = rest.partition(END)[2].strip()
    parts = [before.strip(), f"{BEGIN}\n{_generated(read_module(folder))}\n{END}", after]
    return "\n\n".join(part for part in parts if part) + "\n"


def read_module(folder: Path) -> Module:
    blocks: dict[str, list[dict[str, Any]]] = {}
    for source in sorted(folder.glob("*.tf")):
        for kind, found in _parse(source).items():
            if isinstance(found, list):
                blocks.setdefault(kind, []).extend(block for block in found if isinstance(block, dict))
    return Module(folder, blocks)


def _parse(source: Path) -> dict[str, Any]:
    try:
        return hcl2.loads(source.read_text())
    except Exception as error:  # lark's, one class for each way of being wrong
        line = getattr(error, "line", "?")
        raise ReadmeMissing(f"{os.path.relpath(source)} is not Terraform in line {line}.") from None


def _generated(module: Module) -> str:
    sections = {
        "Requirements": _table(("Name", "Version"), _requirements(module)),
        "Modules": _table(
            ("Name", "Source"), ((name, _code(_text(b["source"]))) for name, b in module.named("module"))
        ),
        "Resources": _table(
            ("Name", "Type"),
            [
                *((_code(name), "resource") for name in module.typed("resource")),
                *((_code(name), "data source") for name in module.typed("data")),
            ],
        ),
        "Inputs": _table(
            ("Name", "Description", "Type", "Default", "Required"),
            (_input(name, block) for name, block in module.named("variable")),
        ),
        "Outputs": _table(
            ("Name", "Description"),
            ((name, _text(block["description"])) for name, block in module.named("output")),
        ),
    }
    return "\n\n".join(
        f"## {title}\n\n{table or f'No {title.lower()}.'}" for title, table in sections.items()
    )


def _requirements(module: Module) -> Iterator[tuple[str, str]]:
    for block in module.blocks.get("terraform", []):
        if version := block.get("required_version"):
            yield "terraform", _text(version)
        for providers in block.get("required_providers", []):
            for name, provider in _labelled(providers):
                yield name, _text(provider["version"])


def _input(name: str, block: dict[str, Any]) -> tuple[str, ...]:
    has_default = "default" in block
    default = _code(_literal(block["default"])) if has_default else "n/a"
    return name, _text(block["description"]), _type(block["type"]), default, "no" if has_default else "yes"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table, or nothing where there are no rows."""
    cells = [tuple(cell.replace("|", "\\|").replace("\n", " ") for cell in row) for row in rows]
    if not cells:
        return ""
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, tuple("---" for _ in head), *cells])


def _labelled(block: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The labels of a block that it contains, without the parser's own marks."""
    return ((_text(name), inner) for name, inner in block.items() if isinstance(inner, dict))


def _text(value: str) -> str:
    """A string as Terraform means it; the parser leaves it in its quotes."""
    return json.loads(value) if value.startswith('"') else value


def _literal(value: Any) -> str:
    """A default as it is written: strings in their quotes, expressions without the parser's braces."""
    if isinstance(value, str):
        expression = re.fullmatch(r"\$\{(.*)\}", value, re.DOTALL)
        return expression[1] if expression else value
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {_literal(v)}" for key, v in value.items() if not key.startswith("__"))
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return json.dumps(value)


def _type(value: str) -> str:
    """A type constraint; that of an object over several lines, as terraform-docs has it."""
    written = _literal(value)
    if "{" not in written:
        return _code(written)
    lines, brackets = [""], []
    for token in re.findall(r'"[^"]*"|, |.', written):
        match token:
            case "{" | "(" | "[":
                brackets.append(token)
            case "}" | ")" | "]":
                brackets.pop()
        indent = "  " * brackets.count("{")
        if token == "}":
            lines.append(indent)
        lines[-1] += "" if token == ", " and brackets[-1:] == ["{"] else token
        if token == "{" or (token == ", " and brackets[-1:] == ["{"]):
            lines.append(indent)
    return f"<pre>{'<br/>'.join(lines)}</pre>"


def _code(text: str) -> str:
    return f"`{text}`"


def main() -> None:
    """Write the generated part of the README of every Terraform module."""
    try:
        for folder in track(find_modules(), "Reading the modules", transient=True):
            path, text = folder / "README.md", readme_of(folder)
            if path.exists() and path.read_text() == text:
                continue
            path.write_text(text)
            typer.echo(f"wrote {os.path.relpath(path)}")
    except ReadmeMissing as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    typer.run(main)
