"""Split the rows that passed from those that did not, and say of each why."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from etl.batch import Batch
from etl.contract import Column
from etl.steps.read_csv import ReadRows

_OWN_FACTS = pa.schema(
    [
        ("line_number", pa.int64()),
        ("kind", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("row_text", pa.string()),
    ]
)


def keep_passed_rows(rows: pa.Table, rejected: pa.Table) -> pa.Table:
    """`rows` without those that `rejected` (schema etl.steps.gate.REJECTED) lists."""
    keep = np.ones(rows.num_rows, bool)
    keep[rejected["position"].to_numpy()] = False
    return rows.filter(pa.array(keep))


def collect_quarantine(
    read: ReadRows,
    rejected: pa.Table,
    batch: Batch,
    run_id: str,
    suite_fingerprint: str,
    now: datetime,
    columns: tuple[Column, ...],
) -> pa.Table:
    """The rows for the quarantine table, in the file's order, with `columns` (expectations/quarantine.yaml).

    `rejected` has the schema etl.steps.gate.REJECTED. A column that is not written here is null.
    """
    rows = pa.concat_tables([_rejected_rows(read, rejected), _unparsable_rows(read)]).sort_by("line_number")
    common = {
        "dataset": batch.dataset,
        "batch_id": batch.batch_id,
        "batch_date": batch.batch_date,
        "object_key": batch.key,
        "object_version": batch.version_id,
        "run_id": run_id,
        "suite_fingerprint": suite_fingerprint,
        "quarantined_at": now.replace(tzinfo=None),
    }
    return pa.table(
        {
            column.name: rows[column.name].cast(column.arrow_type)
            if column.name in rows.column_names
            else pa.repeat(pa.scalar(common.get(column.name), column.arrow_type), rows.num_rows)
            for column in columns
        }
    )


def _rejected_rows(read: ReadRows, rejected: pa.Table) -> pa.Table:
    positions = rejected["position"].to_numpy()
    texts = read.texts_of(positions)
    return _with_own_facts(read.line_numbers[positions], "rejected", rejected["reasons"], texts)


def _unparsable_rows(read: ReadRows) -> pa.Table:
    lines = [row.line_number for row in read.unparsable]
    reasons = [[row.reason] for row in read.unparsable]
    return _with_own_facts(lines, "unparsable", reasons, [row.text for row in read.unparsable])


def _with_own_facts(lines: Any, kind: str, reasons: Any, texts: Sequence[str]) -> pa.Table:
    kinds = pa.repeat(kind, len(texts))
    return pa.table([lines, kinds, reasons, pa.array(texts, pa.string())], schema=_OWN_FACTS)
