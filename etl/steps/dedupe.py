"""One row per key within a batch."""

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from etl.custom_properties import DeduplicateRule
from etl.errors import KeyNotUnique
from etl.key import Key
from etl.steps.keys import key_names, normalise_key


@dataclass(frozen=True, slots=True)
class Deduped:
    """`exact` dropped rows equal the row that was kept, `conflicting` ones share its key only.

    `collisions` (int64, ascending) are the positions of the kept rows with a conflicting one.
    """

    rows: pa.Table
    exact: int
    conflicting: int
    collisions: np.ndarray


def dedupe_rows(rows: pa.Table, key: Key, row_hash: str, rule: DeduplicateRule) -> Deduped:
    """Of the rows with one key, the one that `rule` says is kept; the order of the rest stays.

    `row_hash` names the column with the hash of each row. Raises KeyNotUnique if a key is left twice.
    """
    keys = ", ".join(key_names(key))
    compared = normalise_key(rows, key)
    compared = compared.append_column("hash", rows[row_hash])
    compared = compared.append_column("position", pa.array(np.arange(rows.num_rows)))
    order = "position DESC"
    if rule.ordering_column is not None:
        compared = compared.append_column("ordering", rows[rule.ordering_column])
        order = f"ordering DESC NULLS LAST, {order}"
    with duckdb.connect() as connection:
        connection.register("batch", compared)
        ranked = connection.sql(
            f"""SELECT position,
                       row_number() OVER same_key = 1 AS is_kept,
                       first_value(position) OVER same_key AS kept,
                       hash = first_value(hash) OVER same_key AS equals_kept
                FROM batch WINDOW same_key AS (PARTITION BY {keys} ORDER BY {order})
                ORDER BY position"""
        ).to_arrow_table()
        is_kept = ranked["is_kept"].to_numpy()
        equals_kept = ranked["equals_kept"].to_numpy()
        kept = ranked["kept"].to_numpy()
        connection.register("kept", compared.filter(pa.array(is_kept)))
        left_twice = connection.sql(
            f"SELECT count(*) FROM (SELECT 1 FROM kept GROUP BY {keys} HAVING count(*) > 1)"
        ).fetchone()
    if left_twice and left_twice[0]:
        raise KeyNotUnique("the deduplicated batch", left_twice[0])
    is_conflicting = ~equals_kept & ~is_kept
    return Deduped(
        rows=rows.filter(pa.array(is_kept)),
        exact=int((equals_kept & ~is_kept).sum()),
        conflicting=int(is_conflicting.sum()),
        collisions=np.searchsorted(np.flatnonzero(is_kept), np.unique(kept[is_conflicting])),
    )
