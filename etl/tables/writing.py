"""Write one batch to a table exactly once, whoever else writes at the same time."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import pyarrow as pa
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from etl.batch import MergeMode
from etl.contract import Column
from etl.errors import CommitConflict, CommitStateUnknown
from etl.merged import Merged
from etl.steps.merge import MergePlan, plan_merge
from etl.tables.table import Table

_ATTEMPTS = 8


def merge_batch(
    table: Table,
    rows: pa.Table,
    marks: Mapping[str, str],
    key: Sequence[str],
    mode: MergeMode,
    columns: Sequence[Column] = (),
) -> Merged:
    """Merge deduplicated rows with lineage in one commit, or in none if nothing changes.

    `marks` (BATCH_ID, STAGED_SHA256) are what the commit is found by when the same rows come again; the table
    gets those of `columns` that it lacks.
    After a conflict the whole merge is planned again on the new snapshot; after a commit whose outcome is
    unknown the table is read again first, and the batch found in its history counts as committed.
    """
    plan: MergePlan | None = None
    for attempt in _attempts():
        with attempt:
            table.refresh()
            if table.has_commit(marks):
                break
            table.add_columns(columns)
            plan = plan_merge(rows, table.key_rows(key), key, mode)
            try:
                if not plan.is_empty:
                    table.commit(plan, marks)
            except CommitConflict:
                plan = None  # not committed by us: if the batch is there next time, another run did it
                raise
    attempts = attempt.retry_state.attempt_number
    if plan is None:
        return Merged.before(rows.num_rows, table.snapshot_id, attempts)
    return Merged(
        inserted=len(plan.inserted),
        updated=plan.updated,
        unchanged=plan.unchanged,
        skipped=plan.skipped,
        conflicts=plan.conflicts,
        snapshot_id=table.snapshot_id,
        attempts=attempts,
    )


class ReplacesBatches(Protocol):
    def refresh(self) -> None: ...

    def add_columns(self, columns: Sequence[Column]) -> None: ...

    def replace_batch(self, batch_id: str, rows: pa.Table) -> None: ...


def replace_batch(
    table: ReplacesBatches, batch_id: str, rows: pa.Table, columns: Sequence[Column] = ()
) -> None:
    """Make `rows` the only rows of this batch in the table; doing it twice changes nothing.

    The table gets those of `columns` that it lacks, also when there are no rows.
    """
    for attempt in _attempts():
        with attempt:
            table.refresh()
            table.add_columns(columns)
            table.replace_batch(batch_id, rows)


def _attempts() -> Retrying:
    return Retrying(
        retry=retry_if_exception_type((CommitConflict, CommitStateUnknown)),
        wait=wait_random_exponential(multiplier=0.2, max=10),
        stop=stop_after_attempt(_ATTEMPTS),
        reraise=True,
    )
