"""Write one batch to a table exactly once, whoever else writes at the same time."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import pyarrow as pa
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from etl.batch import MergeMode
from etl.contract import Column
from etl.custom_properties import Identity
from etl.errors import CommitConflict, CommitStateUnknown
from etl.key import Key
from etl.merged import Merged
from etl.steps.confirmed import Confirmations, confirmed_keys, leave_confirmed
from etl.steps.identity import OtherAges, find_other_ages, find_splits
from etl.steps.listed_keys import list_keys
from etl.steps.merge import MergePlan, plan_merge, wanted_keys
from etl.steps.quarantine import join_earlier, without_lines
from etl.tables.table import COUNTS, RUN_ID, Table

_ATTEMPTS = 8


def merge_batch(
    table: Table,
    rows: pa.Table,
    marks: Mapping[str, str],
    key: Key,
    mode: MergeMode,
    columns: Sequence[Column] = (),
    identity: Identity | None = None,
    confirmations: Confirmations | None = None,
) -> Merged:
    """Merge deduplicated rows with lineage in one commit, or in none if nothing changes.

    Without `confirmations`, an older batch may overwrite a row that a newer one found unchanged.
    `marks` are BATCH_ID and STAGED_SHA256, by which the table knows the same rows when they come again, and
    RUN_ID, by which a run knows its own commit; the table gets those of `columns` that it lacks.
    After a conflict the whole merge is planned again on the new snapshot. After a commit whose outcome is
    unknown, and in a run that is taken up again after it was killed, the table is read first: what the run
    then finds to be its own commit is told as if there had been no interruption.
    """
    others = find_other_ages(rows, key, identity, mode) if identity else None
    wanted = wanted_keys(rows, key, others.keys if others else None)

    def merge() -> Merged:
        plan = plan_merge(wanted, table.key_rows(wanted), mode)
        if confirmations:
            plan = _heed(confirmations, plan, wanted.batch_keys, mode, table.batch_ids)
        return _merge(table, plan, marks, _tell(plan, key, others))

    return write_once(table, rows.num_rows, marks, columns, merge)


def write_once(
    table: Table,
    rows: int,
    marks: Mapping[str, str],
    columns: Sequence[Column],
    merge: Callable[[], Merged],
) -> Merged:
    """The outcome of `merge`, which plans and commits `rows` rows; merge_batch says when it is called."""
    same_rows = {name: value for name, value in marks.items() if name != RUN_ID}
    for attempt in attempts_at_commit():
        with attempt:
            table.refresh()
            table.add_columns(columns)  # reads the table again if it changes it: what was found before is old
            if (own := table.find_summary(marks)) and COUNTS in own:
                merged = Merged.from_json(own[COUNTS], table.snapshot_id)
            elif table.has_commit(same_rows) and not table.has_commit(marks):
                merged = Merged.before(rows, table.snapshot_id)
            else:
                merged = merge()
    return replace(merged, attempts=attempt.retry_state.attempt_number)


def _heed(
    confirmations: Confirmations, plan: MergePlan, keys: pa.Table, mode: MergeMode, taken: Collection[str]
) -> MergePlan:
    """The plan without updates of what newer batches confirmed; and what this one confirms is kept.

    Before the commit: who finds the batch in the table finds that too, and else meets a conflict.
    """
    if plan.updates:
        plan = leave_confirmed(plan, keys, confirmations.newer(taken))
    confirmations.write(confirmed_keys(plan, keys, mode))
    return plan


def _tell(plan: MergePlan, key: Key, others: OtherAges | None) -> Merged:
    """What the plan will have done."""
    splits = find_splits(others, plan) if others else np.empty(0, np.int64)
    return Merged(
        inserted=len(plan.inserted),
        updated=plan.updated,
        unchanged=plan.unchanged,
        skipped=plan.skipped,
        conflicts=plan.conflicts,
        splits=len(splits),
        conflict_keys=list_keys(plan.rows, plan.conflicting, key),
        split_keys=list_keys(plan.rows, splits, key),
    )


def _merge(table: Table, plan: MergePlan, marks: Mapping[str, str], merged: Merged) -> Merged:
    if plan.is_empty:
        table.record(marks)
    else:
        table.commit(plan, {**marks, COUNTS: merged.to_json()})
    return replace(merged, snapshot_id=table.snapshot_id)


class QuarantineTable(Protocol):
    def refresh(self) -> None: ...

    def add_columns(self, columns: Sequence[Column]) -> None: ...

    def batch_rows(self, batch_id: str) -> pa.Table: ...

    def replace_batch(self, batch_id: str, rows: pa.Table) -> None: ...


def set_aside(
    table: QuarantineTable, batch_id: str, failed: pa.Table, columns: Sequence[Column] = ()
) -> tuple[int, ...]:
    """Let `failed` be in quarantine, once, and tell the lines that are there from before and pass now.

    The latter stay until release_rows. Doing it twice changes nothing. The table gets those of `columns` that
    it lacks, also when there are no rows.
    """
    for attempt in attempts_at_commit():
        with attempt:
            table.refresh()
            table.add_columns(columns)
            rows, passing = join_earlier(failed, table.batch_rows(batch_id))
            table.replace_batch(batch_id, rows)
    return passing


def release_rows(table: QuarantineTable, batch_id: str, lines: Sequence[int]) -> None:
    """Take these lines of the batch out of quarantine: they were merged. Doing it twice changes nothing."""
    for attempt in attempts_at_commit():
        with attempt:
            table.refresh()
            rows = table.batch_rows(batch_id)
            kept = without_lines(rows, lines)
            if kept.num_rows < rows.num_rows:
                table.replace_batch(batch_id, kept)


def attempts_at_commit(most: int = _ATTEMPTS) -> Retrying:
    """Of a commit: whoever gets one reads the table and plans anew; the last error is raised as it is."""
    return Retrying(
        retry=retry_if_exception_type((CommitConflict, CommitStateUnknown)),
        wait=wait_random_exponential(multiplier=0.2, max=10),
        stop=stop_after_attempt(most),
        reraise=True,
    )
