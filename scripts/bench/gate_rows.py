"""Invented employees with 0.1 % of bad rows for each rule that judges rows."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from scripts.sample_people import KEY, people

_SHARE = 0.001
_SEED = 7


def dirty_people(rows: int, on: date) -> pa.Table:
    """The same rows for the same arguments; at least one row is bad for each rule."""
    table = people(rows, on, _SEED)
    rng = np.random.default_rng(_SEED)

    def some() -> np.ndarray:
        return np.sort(rng.choice(rows, max(1, int(rows * _SHARE)), replace=False))

    nulls = {name: some() for name in table.column_names}
    for names, value in (
        (("first_name", "last_name"), "R2-D2 "),
        (("first_name", "last_name"), "x" * 101),
        (("job_title",), "x"),
        (("department",), "Astrology"),
        (("age",), 230),
        (("salary",), -1),
        (("hire_date",), on + timedelta(days=30)),
    ):
        for name in names:
            table = _replaced(table, name, some(), pa.scalar(value))
    table = _repeated(table, some())
    for name, positions in nulls.items():
        table = _replaced(table, name, positions, None)
    return table.combine_chunks()


def _replaced(table: pa.Table, name: str, positions: np.ndarray, value: pa.Scalar | None) -> pa.Table:
    kind = table.schema.field(name).type
    chosen = np.zeros(table.num_rows, bool)
    chosen[positions] = True
    new = pa.scalar(None, kind) if value is None else value.cast(kind)
    column = pa.compute.if_else(pa.array(chosen), new, table[name])
    return table.set_column(table.schema.get_field_index(name), name, column)


def _repeated(table: pa.Table, positions: np.ndarray) -> pa.Table:
    """Give the rows at `positions` the key of the row before."""
    source = np.arange(table.num_rows)
    source[positions] = np.maximum(positions - 1, 0)
    for name in KEY:
        column = table[name].take(pa.array(source))
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table
