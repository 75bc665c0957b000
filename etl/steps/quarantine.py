"""Split the rows that passed from those that did not, and say of each why; and who may leave again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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


def join_earlier(failed: pa.Table, earlier: pa.Table) -> tuple[pa.Table, tuple[int, ...]]:
    """What a batch has in quarantine after it was judged again, and the lines that may leave it.

    `failed` fail now, `earlier` are in quarantine from before. A row that fails again is one row, there since
    it first was. One that passes now stays until it is merged (release_rows in etl/tables/writing.py): the
    file was judged whole, so whatever does not fail any more is among the rows that the gate hands over.
    """
    earlier = earlier.select(failed.column_names).cast(failed.schema).combine_chunks()
    lines = earlier["line_number"].combine_chunks()
    since = earlier["quarantined_at"].take(pc.index_in(failed["line_number"], lines))
    place = failed.column_names.index("quarantined_at")
    failed = failed.set_column(place, "quarantined_at", pc.coalesce(since, failed["quarantined_at"]))
    passing = without_lines(earlier, failed["line_number"].to_pylist())
    return pa.concat_tables([failed, passing]), tuple(passing["line_number"].to_pylist())


def without_lines(rows: pa.Table, lines: Sequence[int]) -> pa.Table:
    """`rows` of one batch in quarantine, but for those of `lines`."""
    return rows.filter(pc.invert(pc.is_in(rows["line_number"], pa.array(lines, pa.int64()))))


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
