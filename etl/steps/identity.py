"""Signs that keys do not stay with whom they name, for people to look at; nothing acts on them."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.batch import MergeMode
from etl.custom_properties import Identity
from etl.key import Key
from etl.merged import Duplicates
from etl.steps.dedupe import Deduped
from etl.steps.keys import hash_compared, normalise_key
from etl.steps.listed_keys import list_keys
from etl.steps.merge import MergePlan


@dataclass(frozen=True, slots=True)
class OtherAges:
    """Keys that rows of a batch may be in the table by: all key parts alike, but for the one that ages.

    `positions` (int64) says of each of `keys`, which has the key columns, whose it is.
    """

    keys: pa.Table
    positions: np.ndarray


def find_other_ages(rows: pa.Table, key: Key, identity: Identity, mode: MergeMode) -> OtherAges:
    """The keys that `rows` (deduplicated) had one step before, unless the batch has them too.

    Whoever is still in the feed by the earlier key did not grow out of it. A backfilled day may lie before
    what the table holds, so there the later key counts as well.
    """
    steps = (-identity.step,) if mode is MergeMode.UPSERT else (-identity.step, identity.step)
    own = normalise_key(rows, key)
    known = hash_compared(own)
    still_there = [pc.is_in(hash_compared(_aged(own, key, identity, step)), known) for step in steps]
    gone = [np.flatnonzero(~there.to_numpy()) for there in still_there]
    keys = rows.select(list(key))
    aged = [
        _aged(keys.take(pa.array(positions)), key, identity, step)
        for positions, step in zip(gone, steps, strict=True)
    ]
    return OtherAges(pa.concat_tables(aged), np.concatenate(gone))


def find_splits(others: OtherAges, plan: MergePlan) -> np.ndarray:
    """Positions of the rows that the plan inserts though its probes found them by another age."""
    return np.intersect1d(others.positions[plan.probes_found], plan.inserted)


def count_duplicates(deduped: Deduped, key: Key, identity: Identity | None) -> Duplicates:
    """What is told of the rows that were dropped; keys collide only where they name somebody."""
    exact, conflicting, collisions = deduped.exact, deduped.conflicting, deduped.collisions
    if identity is None:
        return Duplicates(exact, conflicting)
    return Duplicates(exact, conflicting, len(collisions), list_keys(deduped.rows, collisions, key))


def _aged(keys: pa.Table, key: Key, identity: Identity, step: int) -> pa.Table:
    """`keys`, as they stand or as they compare, with the age of `step` more."""
    place = list(key).index(identity.aging_column)
    return keys.set_column(place, keys.column_names[place], pc.add(keys[place], step))
