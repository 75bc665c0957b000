"""What backfills of batches would do, without doing it: no object, no commit, no metric and no alert.

Reading, judging and planning are functions of values; this stops where the effects would begin. It takes the
rights to read that gate and merge have.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa

from etl.aws.lake import Lake
from etl.batch import Batch, MergeMode
from etl.contract import Contract
from etl.custom_properties import Engine
from etl.gates import OneProcessGate
from etl.pipeline import examine, make_mergeable
from etl.run_report import Verdict, why_in_a_line
from etl.steps.merge import MergePlan, WantedKeys, plan_merge, to_key_rows, wanted_keys
from etl.steps.stage import checksum, to_staged_file
from etl.stopwatch import Stopwatch
from etl.tables.iceberg import IcebergTable
from etl.tables.table import BATCH_ID, STAGED_SHA256

_NO_FILE = -1  # of rows that are in no data file yet


@dataclass(frozen=True, slots=True)
class Preview:
    """Counts of rows; `quarantined` has those in it that could not be read. `conflicts` are not among
    `already_there`: these are the rows that differ from the table's."""

    batch_id: str
    verdict: Verdict
    why: str | None
    rows_read: int
    quarantined: int = 0
    inserted: int = 0
    already_there: int = 0
    conflicts: int = 0


class BackfillPreview:
    """Of several batches, one after the other: what one would insert is there for the next."""

    def __init__(self, lake: Lake):
        self._lake = lake
        self._coming: list[pa.Table] = []

    def of(self, batch: Batch) -> Preview:
        """Always in one process: both engines come to the same."""
        finding, gate = examine(batch, self._lake, Stopwatch(), Engine.SINGLE_NODE)
        judgement = finding.judgement
        why = why_in_a_line(judgement.reason, judgement.problems)
        if not judgement.verdict.lets_rows_pass:
            return Preview(batch.batch_id, judgement.verdict, why, finding.rows_read)
        assert isinstance(gate, OneProcessGate)
        passed = gate.passed(judgement, finding.contract)
        rows, _ = make_mergeable(passed, finding.declared, finding.contract, batch, "preview")
        plan = self._plan(batch, rows, checksum(to_staged_file(passed)), finding.contract)
        return Preview(
            batch.batch_id,
            judgement.verdict,
            why,
            finding.rows_read,
            quarantined=judgement.rows_rejected + finding.rows_unparsable,
            inserted=len(plan.inserted) if plan else 0,
            already_there=plan.skipped - plan.conflicts if plan else rows.num_rows,
            conflicts=plan.conflicts if plan else 0,
        )

    def _plan(self, batch: Batch, rows: pa.Table, staged: str, contract: Contract) -> MergePlan | None:
        """None for a batch that the table has taken with these very rows."""
        table = self._lake.table()
        if table.has_commit({BATCH_ID: batch.batch_id, STAGED_SHA256: staged}):
            return None
        wanted = wanted_keys(rows, contract.key)
        plan = plan_merge(wanted, self._existing(table, wanted), MergeMode.INSERT_ONLY)
        inserted = plan.rows.take(pa.array(plan.inserted))
        self._coming.append(to_key_rows(inserted, contract.key, _NO_FILE))
        return plan

    def _existing(self, table: IcebergTable, wanted: WantedKeys) -> pa.RecordBatchReader:
        found = table.key_rows(wanted)
        coming: Iterator[pa.RecordBatch] = (
            batch for rows in self._coming for batch in rows.cast(found.schema).to_batches()
        )
        return pa.RecordBatchReader.from_batches(found.schema, chain(found, coming))
