"""Check datasets' folders, and judge a file by one, without any AWS.

python -m scripts.check_dataset
python -m scripts.check_dataset employee
python -m scripts.check_dataset employee employees.csv --date 2026-11-24
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from etl.contract import Contract, load_columns, load_contract
from etl.errors import ContractInvalid, LakegateError, SuiteInvalid
from etl.quality.rehearsal import rehearse
from etl.quality.suite import Suite, load_suite
from etl.quality.validate import validate_rows
from etl.steps.gate import judge_rows
from etl.steps.read_csv import read_rows

EXPECTATIONS = Path(__file__).parents[1] / "expectations"
SHARED = ("lineage.yaml", "quarantine.yaml")
FILES = ("contract.yaml", "suite.json")
_DATASET = re.compile(r"[a-z][a-z0-9_]*")  # as in the keys of the raw zone (etl/batch.py)


@dataclass(frozen=True, slots=True)
class Checked:
    """One dataset's folder, or a file beside them; `problems` name the file that they are in."""

    name: str
    problems: tuple[str, ...]
    contract: Contract | None = None
    suite: Suite | None = None


def check_all(expectations: Path) -> list[Checked]:
    """Everything that is deployed from the folder: what all datasets share, then each dataset."""
    shared = [Checked(name, tuple(_shared_problems(expectations / name))) for name in SHARED]
    folders = sorted(path for path in expectations.iterdir() if path.is_dir())
    if not folders:
        return [*shared, Checked(expectations.name, (f"{expectations.name}: it has no dataset",))]
    return [*shared, *(check_dataset(folder) for folder in folders)]


def check_dataset(folder: Path) -> Checked:
    """What Terraform and the gate would stumble over in one dataset's folder, all of it."""
    name = folder.name
    if not folder.is_dir():
        return Checked(name, (f"{name}: there is no such folder in {folder.parent.name}/",))
    if not _DATASET.fullmatch(name):
        problem = f"{name}: a dataset's name is lower case letters, digits and _; move other folders away"
        return Checked(name, (problem,))
    found = sorted(path.name for path in folder.iterdir())
    if missing := [file for file in FILES if file not in found]:
        beside = f"; it has {', '.join(found)}" if found else "; it is empty"
        return Checked(name, tuple(f"{name}: {file} is missing{beside}" for file in missing))
    return _check_files(folder)


def _check_files(folder: Path) -> Checked:
    name = folder.name
    contract_source, suite_source = (f"{name}/{file}" for file in FILES)
    try:
        contract = load_contract((folder / "contract.yaml").read_text("utf-8"), contract_source, name)
    except (ContractInvalid, UnicodeDecodeError) as error:
        unchecked = f"{suite_source}: it was not checked, since it is checked against the contract"
        return Checked(name, (*_lines(contract_source, error), unchecked))
    try:
        suite = load_suite((folder / "suite.json").read_text("utf-8"), suite_source, contract)
    except (SuiteInvalid, UnicodeDecodeError) as error:
        return Checked(name, tuple(_lines(suite_source, error)), contract)
    problems = tuple(f"{suite_source}: {problem}" for problem in rehearse(suite, contract))
    return Checked(name, problems, contract, suite)


def _shared_problems(path: Path) -> Iterator[str]:
    try:
        load_columns(path.read_text("utf-8"), path.name)
    except FileNotFoundError:
        yield f"{path.name}: it is missing"
    except (ContractInvalid, UnicodeDecodeError) as error:
        yield from _lines(path.name, error)


def _lines(source: str, error: ContractInvalid | SuiteInvalid | UnicodeDecodeError) -> Iterator[str]:
    problems = (f"it is not UTF-8 ({error})",) if isinstance(error, UnicodeDecodeError) else error.problems
    yield from (f"{source}: {problem}" for problem in problems)


def main(
    dataset: Annotated[str | None, typer.Argument(help="A folder of expectations/; left out, all.")] = None,
    file: Annotated[Path | None, typer.Argument(help="A CSV file to judge.", exists=True)] = None,
    on: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="The date it is for: today.")
    ] = None,
    expectations: Annotated[
        Path, typer.Option(help="Where the folders are.", file_okay=False, exists=True)
    ] = (EXPECTATIONS),
) -> None:
    """Check contracts and suites as before a deployment; with a file, say what the gate would make of it.

    Every problem is named, one a line, as FILE: PROBLEM. The exit code is 2 if there is any,
    and 3 if the CSV file cannot be read as the contract says.
    """
    checked = [check_dataset(expectations / dataset)] if dataset else check_all(expectations)
    for one in checked:
        for problem in one.problems:
            typer.echo(problem, err=True)
        if one.contract and one.suite and not one.problems:
            counts = f"{len(one.contract.columns)} columns, {len(one.suite.expectations)} expectations"
            typer.echo(f"{one.name}: {counts}")
    if any(one.problems for one in checked):
        raise typer.Exit(2)
    if file is not None:
        _judge(file, on.date() if on else date.today(), checked[0].contract, checked[0].suite)


def _judge(file: Path, on: date, contract: Contract, suite: Suite) -> None:
    """What is usual is not known here: the run history is in the docs zone."""
    try:
        with file.open("rb") as stream:
            read = read_rows(stream, file.name, contract)
    except LakegateError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from error
    contract = contract.with_new_columns(read.drift.new_columns)
    if drift := read.drift.describe():
        typer.echo(drift)
    outcomes = validate_rows(read.rows, suite, contract, on).outcomes
    judgement = judge_rows(outcomes, read, contract)
    typer.echo(f"{read.count} rows read, {len(read.unparsable)} unparsable")
    for row in read.unparsable:
        typer.echo(f"  line {row.line_number}: {row.reason}")
    for outcome in outcomes:
        if not outcome.success:
            lines = ", ".join(str(read.line_numbers[row]) for row in outcome.failed_rows[:10])
            detail = outcome.error or (f"lines {lines}" if lines else outcome.observed_value)
            typer.echo(f"  {outcome.severity} {outcome.name}: {detail}")
    typer.echo(f"verdict: {judgement.verdict}" + (f" ({judgement.reason})" if judgement.reason else ""))


if __name__ == "__main__":
    typer.run(main)
