"""Keys that a batch found in the table with equal values, of which the table itself shows nothing.

A row keeps the date of the batch that last wrote it. A batch that comes late would take a row which a newer
one found unchanged for older than itself, and put its own values over it (ADR 11).
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Protocol

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.batch import MergeMode
from etl.contract import Contract
from etl.steps.keys import hash_compared
from etl.steps.merge import FileUpdate, MergePlan


class Confirmations(Protocol):
    """What one batch confirms, and what was confirmed after it."""

    def write(self, keys: pa.ChunkedArray) -> None:
        """Keep what confirmed_keys gave, in place of what was written for the same rows before."""
        ...

    def newer(self, taken: Collection[str]) -> Iterable[pa.ChunkedArray] | None:
        """What each newer batch among `taken`, batch ids, confirmed; None if it is not known of all."""
        ...


def confirmed_keys(plan: MergePlan, keys: pa.Table, mode: MergeMode) -> pa.ChunkedArray:
    """Hashes of the keys whose rows the plan leaves as they are; what it writes carries the batch's date.

    `keys` are those of the plan's rows, as they compare (etl.steps.keys.normalise_key).
    A backfill confirms nothing: it was not asked what rows that exist should be.
    """
    is_confirmed = np.full(plan.rows.num_rows, mode is MergeMode.UPSERT)
    is_confirmed[plan.inserted] = False
    is_confirmed[_replacing(plan)] = False
    return hash_compared(keys.filter(pa.array(is_confirmed)))


def leave_confirmed(plan: MergePlan, keys: pa.Table, newer: Iterable[pa.ChunkedArray] | None) -> MergePlan:
    """The plan without the updates of rows that newer batches confirmed; these are conflicts then.

    Where it is not known what newer batches confirmed, no row is updated: nothing newer is ever overwritten.
    """
    replacing = _replacing(plan)
    is_confirmed = np.full(len(replacing), newer is None)
    wanted = hash_compared(keys.take(pa.array(replacing)))
    for confirmed in newer or ():
        found = confirmed.filter(pc.is_in(confirmed, wanted))  # few, beside the keys of a whole batch
        is_confirmed |= pc.is_in(wanted, found).to_numpy()
    if not is_confirmed.any():
        return plan
    is_left = np.zeros(plan.rows.num_rows, bool)
    is_left[replacing[is_confirmed]] = True
    return replace(
        plan,
        updates={number: u for number, update in plan.updates.items() if (u := _without(update, is_left))},
        skipped=plan.skipped + int(is_confirmed.sum()),
        conflicting=np.union1d(plan.conflicting, np.flatnonzero(is_left)),
    )


def _without(update: FileUpdate, is_left: np.ndarray) -> FileUpdate | None:
    """What is still to be done in the file, None for nothing."""
    stays = ~is_left[update.replacing]
    return FileUpdate(update.positions[stays], update.replacing[stays]) if stays.any() else None


def _replacing(plan: MergePlan) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *(update.replacing for update in plan.updates.values())])


def hashing_of(contract: Contract) -> str:
    """What hashes are comparable by: of another release of DuckDB, or of another key, they say nothing."""
    types = {column.name: column.type for column in contract.columns}
    told = (duckdb.__version__, contract.key.case, *((name, types[name]) for name in contract.key))
    return hashlib.sha256(repr(told).encode()).hexdigest()[:8]
