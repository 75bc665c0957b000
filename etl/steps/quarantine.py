"""Split the rows that passed from those that did not, and say of each why."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import pyarrow as pa

from etl.batch import Batch
from etl.contract import Column
from etl.steps.read_csv import ReadRows


def keep_passed_rows(rows: pa.Table, reasons: Mapping[int, tuple[str, ...]]) -> pa.Table:
    """`rows` without the positions that have a reason against them."""
    keep = np.ones(rows.num_rows, bool)
    keep[list(reasons)] = False
    return rows.filter(pa.array(keep))


def collect_quarantine(
    read: ReadRows,
    reasons: Mapping[int, tuple[str, ...]],
    batch: Batch,
    run_id: str,
    suite_fingerprint: str,
    now: datetime,
    columns: tuple[Column, ...],
) -> pa.Table:
    """The rows for the quarantine table, with `columns` (expectations/quarantine.yaml) as its schema."""
    positions = sorted(reasons)
    rejected = [
        (int(read.line_numbers[row]), "rejected", list(reasons[row]), text)
        for row, text in zip(positions, read.texts_of(positions), strict=True)
    ]
    unparsable = [(row.line_number, "unparsable", [row.reason], row.text) for row in read.unparsable]
    common = {
        "batch_id": batch.batch_id,
        "batch_date": batch.batch_date,
        "object_key": batch.key,
        "object_version": batch.version_id,
        "run_id": run_id,
        "suite_fingerprint": suite_fingerprint,
        "quarantined_at": now.replace(tzinfo=None),
    }
    rows = [
        common | {"line_number": line, "kind": kind, "reasons": why, "row_text": text}
        for line, kind, why, text in sorted(rejected + unparsable)
    ]
    return pa.Table.from_pylist(rows, pa.schema([(column.name, column.arrow_type) for column in columns]))
