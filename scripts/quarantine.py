"""What is in quarantine, by batch and reason: `make quarantine`. Rows themselves are for data stewards."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from etl.errors import ArgumentsInvalid
from scripts.athena_query import Answer, run_query
from scripts.deployed import choose_dataset, client_as, errors_in_a_line, reach
from scripts.offline_machine import STATE_DIR
from scripts.terminal import open_console, plain_table
from scripts.terraform import Environment

_MOST_ROWS = 200


def main(
    dataset: Annotated[str | None, typer.Option(help="Of which dataset; if there are several.")] = None,
    on: Annotated[str | None, typer.Option("--date", help="Of which batch date, YYYY-MM-DD.")] = None,
    reason: Annotated[str | None, typer.Option(help="With this reason, as the list shows it.")] = None,
    rows: Annotated[
        bool, typer.Option("--rows", help="The rows as received; takes the steward's role.")
    ] = False,
    env: Annotated[Environment, typer.Option(help="In which environment.")] = Environment.LOCAL,
    state_dir: Annotated[Path, typer.Option(help="Where the offline machine keeps its files.")] = STATE_DIR,
) -> None:
    """List quarantined rows: by batch date, batch, kind and reason, with their number. Asks Athena."""
    console = open_console()
    with errors_in_a_line(console):
        where = _conditions(on, reason)
        outputs = reach(env, "operator_role_arn", state_dir)
        chosen = choose_dataset(dataset, outputs)
        table = f'"{outputs["databases"]["quarantine"]}"."{chosen}"'
        answer = _rows(table, where, outputs) if rows else _counts(table, where, outputs)
    if answer.refusal:
        who = "A data steward's role" if rows else "The operator's role"
        told = f"{who} is not let read this: {answer.refusal}"
        console.print(f"[bold red]✗[/] {escape(told)}", soft_wrap=True)
        raise typer.Exit(1)
    _show(answer, chosen, console)
    if rows and len(answer.rows) == _MOST_ROWS:
        console.print(f"The first {_MOST_ROWS}; DATE= and REASON= narrow it, Athena has them all.")
    if answer.rows and not rows:
        console.print(
            "[dim]A row with several reasons stands under each of them. make replay QUARANTINE=<batch>[/]"
        )


def _conditions(on: str | None, reason: str | None) -> str:
    """Raises ArgumentsInvalid."""
    conditions = []
    if on:
        try:
            conditions.append(f"batch_date = DATE '{date.fromisoformat(on)}'")
        except ValueError:
            raise ArgumentsInvalid(f"{on} is no date of the calendar; write YYYY-MM-DD") from None
    if reason:
        quoted = reason.replace("'", "''")
        conditions.append(f"contains(reasons, '{quoted}')")
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def _counts(table: str, where: str, outputs: Mapping[str, Any]) -> Answer:
    athena = client_as(outputs["operator_role_arn"], "athena")
    sql = (
        f'SELECT batch_date AS "date", batch_id AS batch, kind, reason, count(*) AS "rows", '
        f"min(quarantined_at) AS since FROM {table} CROSS JOIN UNNEST(reasons) AS t (reason) {where} "
        "GROUP BY batch_date, batch_id, kind, reason ORDER BY batch_date DESC, batch_id, 5 DESC, reason"
    )
    return run_query(athena, sql, outputs["athena_operator_workgroup"])


def _rows(table: str, where: str, outputs: Mapping[str, Any]) -> Answer:
    athena = client_as(outputs["steward_role_arn"], "athena")
    sql = (
        "SELECT batch_id AS batch, line_number AS line, array_join(reasons, ', ') AS reasons, "
        f'row_text AS "row" FROM {table} {where} ORDER BY batch_date DESC, batch_id, line_number '
        f"LIMIT {_MOST_ROWS}"
    )
    return run_query(athena, sql, outputs["athena_steward_workgroup"])


def _show(answer: Answer, dataset: str, console: Console) -> None:
    if not answer.rows:
        console.print(f"Nothing of {dataset} is in quarantine here.")
        return
    table = plain_table()
    for name in answer.columns:
        table.add_column(name, justify="right" if name in ("rows", "line") else "left", overflow="fold")
    for row in answer.rows:
        table.add_row(*(escape(value or "") for value in row))
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
