"""Check a dataset's folder, and judge a file by it, without any AWS.

python -m scripts.check_dataset employee
python -m scripts.check_dataset employee employees.csv --date 2026-11-24
"""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from etl.contract import Contract, load_contract
from etl.errors import LakegateError
from etl.quality.suite import Suite, load_suite
from etl.quality.validate import validate_rows
from etl.steps.gate import judge_rows
from etl.steps.read_csv import read_rows

EXPECTATIONS = Path(__file__).parents[1] / "expectations"


def main(
    dataset: Annotated[str, typer.Argument(help="A folder of expectations/.")],
    file: Annotated[Path | None, typer.Argument(help="A CSV file to judge.", exists=True)] = None,
    on: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="The date it is for: today.")
    ] = None,
) -> None:
    """Lint a contract and its suite; with a file, say what the gate would make of it."""
    try:
        contract, suite = _load(dataset)
        typer.echo(f"{dataset}: {len(contract.columns)} columns, {len(suite.expectations)} expectations")
        if file is not None:
            _judge(file, on.date() if on else date.today(), contract, suite)
    except (LakegateError, FileNotFoundError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(getattr(error, "exit_code", 2)) from error


def _load(dataset: str) -> tuple[Contract, Suite]:
    folder = EXPECTATIONS / dataset
    text = (folder / "contract.yaml").read_text("utf-8")
    contract = load_contract(text, f"{dataset}/contract.yaml", dataset)
    return contract, load_suite((folder / "suite.json").read_text("utf-8"), f"{dataset}/suite.json", contract)


def _judge(file: Path, on: date, contract: Contract, suite: Suite) -> None:
    with file.open("rb") as stream:
        read = read_rows(stream, file.name, contract)
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
