"""A suite run over made-up rows, before it is deployed: what breaks on these would break on any batch.

GX looks at most arguments only when it evaluates: an invalid regular expression, or a date without a time, is
found out with the first batch, or here.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from etl.contract import Column, Contract
from etl.quality.suite import Suite
from etl.quality.validate import validate_rows
from etl.steps.history import AcceptedBatch, usual_figures

_ROWS = 12
_DAY = date(2026, 1, 31)
_WITHOUT_VALUE = 5  # the row in which columns that need not have a value have none


def rehearse(suite: Suite, contract: Contract) -> tuple[str, ...]:
    """Why expectations of the suite cannot be evaluated; whether they are met does not matter here.

    Run as for a first batch, and where the contract has a band of the usual, as for a second one.
    """
    rows = make_rows(contract.columns)
    firsts = [_problems(rows, suite, contract, ())]
    if contract.history is not None:
        before = [_an_earlier_batch(rows, number) for number in range(1, contract.history.batches + 1)]
        firsts.append(_problems(rows, suite, contract, before))
    return tuple(dict.fromkeys(problem for problems in firsts for problem in problems))


def make_rows(columns: Sequence[Column]) -> pa.Table:
    """A dozen rows of the contract's types, as different as types allow; text says nothing."""
    made = {}
    for column in columns:
        values = [_value(column.arrow_type, number) for number in range(_ROWS)]
        if not column.required:
            values[_WITHOUT_VALUE] = None
        made[column.name] = pa.array(values, column.arrow_type)
    return pa.table(made)


def _value(kind: pa.DataType, number: int) -> Any:
    if pa.types.is_boolean(kind):
        return number % 2 == 0
    if pa.types.is_integer(kind):
        return number
    if pa.types.is_floating(kind):
        return number / 2
    if pa.types.is_decimal(kind):
        return Decimal(number % 10).scaleb(-kind.scale)
    if pa.types.is_date(kind):
        return _DAY - timedelta(number)
    if pa.types.is_timestamp(kind):
        return datetime.combine(_DAY, datetime.min.time()) - timedelta(hours=number)
    return f"text {number}"


def _an_earlier_batch(rows: pa.Table, days_ago: int) -> AcceptedBatch:
    day = _DAY - timedelta(days_ago)
    null_counts = {name: rows[name].null_count for name in rows.column_names}
    landed_at = datetime.combine(day, datetime.min.time(), UTC)
    return AcceptedBatch(f"rehearsal-{day}", day, landed_at, rows.num_rows, null_counts)


def _problems(
    rows: pa.Table, suite: Suite, contract: Contract, before: Sequence[AcceptedBatch]
) -> Iterator[str]:
    usual = usual_figures(before, contract, _DAY)
    for outcome in validate_rows(rows, suite, contract, _DAY, usual).outcomes:
        if outcome.error is not None:
            yield f"{outcome.name}: it cannot be evaluated: {outcome.error}"
