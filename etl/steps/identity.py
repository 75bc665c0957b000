"""Signs that keys do not stay with whom they name, for people to look at; nothing acts on them."""

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.batch import MergeMode
from etl.custom_properties import Identity
from etl.key import Key
from etl.merged import Duplicates
from etl.steps.dedupe import Deduped
from etl.steps.keys import key_names, normalise_key
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
    column = identity.aging_column
    steps = (-identity.step,) if mode is MergeMode.UPSERT else (-identity.step, identity.step)
    keys = rows.select(list(key))
    aged = [
        keys.set_column(keys.column_names.index(column), column, pc.add(keys[column], step)) for step in steps
    ]
    others = OtherAges(pa.concat_tables(aged), np.tile(np.arange(rows.num_rows), len(steps)))
    gone = _are_missing(others.keys, rows, key)
    return OtherAges(others.keys.take(pa.array(gone)), others.positions[gone])


def find_splits(others: OtherAges, plan: MergePlan) -> np.ndarray:
    """Positions of the rows that the plan inserts though its probes found them by another age."""
    return np.intersect1d(others.positions[plan.probes_found], plan.inserted)


def count_duplicates(deduped: Deduped, key: Key, identity: Identity | None) -> Duplicates:
    """What is told of the rows that were dropped; keys collide only where they name somebody."""
    exact, conflicting, collisions = deduped.exact, deduped.conflicting, deduped.collisions
    if identity is None:
        return Duplicates(exact, conflicting)
    return Duplicates(exact, conflicting, len(collisions), list_keys(deduped.rows, collisions, key))


def _are_missing(keys: pa.Table, rows: pa.Table, key: Key) -> np.ndarray:
    """Positions of those `keys` that none of `rows` has, ascending."""
    wanted = normalise_key(keys, key).append_column("position", pa.array(np.arange(keys.num_rows)))
    with duckdb.connect() as connection:
        connection.register("wanted", wanted)
        connection.register("batch", normalise_key(rows, key))
        missing = f"FROM wanted ANTI JOIN batch USING ({', '.join(key_names(key))})"
        found = connection.sql(f"SELECT position {missing} ORDER BY position").to_arrow_table()
    return found["position"].to_numpy()
