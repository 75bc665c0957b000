"""A query through Athena, as somebody in a role."""

import time
from dataclasses import dataclass
from typing import Any

from scripts.offline_machine import Machine

_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """Column names and rows of text (None for null), or why Athena refused."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    refusal: str | None = None


def ask_athena(
    machine: Machine, sql: str, workgroup: str, role_arn: str, database: str = "default"
) -> Answer:
    """As run_query, on the offline machine as somebody who assumed the role."""
    return run_query(machine.client("athena", role_arn), sql, workgroup, database)


def run_query(athena: Any, sql: str, workgroup: str, database: str = "default") -> Answer:
    """Run one statement and wait for it; at most a page (999 rows) of its result."""
    query_id = athena.start_query_execution(
        QueryString=sql, WorkGroup=workgroup, QueryExecutionContext={"Database": database}
    )["QueryExecutionId"]
    while True:
        status = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]
        if status["State"] in {"SUCCEEDED", "FAILED", "CANCELLED"}:
            break
        time.sleep(_POLL_SECONDS)
    if status["State"] != "SUCCEEDED":
        return Answer(refusal=status.get("StateChangeReason", status["State"]))
    rows = athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"]
    values = [tuple(cell.get("VarCharValue") for cell in row["Data"]) for row in rows]
    return Answer(tuple(name or "" for name in values[0]), tuple(values[1:]))
