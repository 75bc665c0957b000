"""The two engines behind one face: a merge of rows that are in memory, on either."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pyarrow as pa
from builders import EXPECTATIONS, a_manifest, the_employee_contract, the_lineage_columns
from lakes import ALake

from etl.batch import Batch, MergeMode
from etl.merged import Merged
from etl.steps.keys import normalise_key
from etl.tables.table import BATCH_ID, RUN_ID
from etl.tables.writing import merge_batch


@dataclass(frozen=True, slots=True)
class AnEngine:
    """`merge` takes deduplicated rows with lineage; `name` is the contract's word."""

    name: str
    merge: Callable[..., Merged]


def single_node() -> AnEngine:
    def merge(lake: ALake, rows: pa.Table, batch: Batch, mode: MergeMode = MergeMode.UPSERT) -> Merged:
        marks = {BATCH_ID: batch.batch_id, RUN_ID: uuid4().hex}
        contract, heard = (
            the_employee_contract(),
            lake.of_run().confirmations(batch, a_manifest(), the_employee_contract()),
        )
        return merge_batch(lake.table(), rows, marks, contract.key, mode, (), contract.identity, heard)

    return AnEngine("single_node", merge)


def on_spark(session: Any) -> AnEngine:
    from etl.spark.batches import map_batches
    from etl.spark.merge import merge_rows
    from etl.spark.pinned import PinnedTable
    from etl.spark.session import CATALOG
    from etl.spark.staged import POSITION, key_columns

    contract = the_employee_contract()

    def merge(lake: ALake, rows: pa.Table, batch: Batch, mode: MergeMode = MergeMode.UPSERT) -> Merged:
        keys = normalise_key(rows, contract.key)
        keyed = rows
        for name, values in zip(key_columns(contract), keys.columns, strict=True):
            keyed = keyed.append_column(name, values)
        keyed = keyed.append_column(POSITION, pa.array(range(rows.num_rows), pa.int64()))

        def give(_batches: Any) -> Iterator[pa.Table]:
            yield keyed

        frame = map_batches(session.range(0, 1, 1, 1), give, keyed.schema)
        pinned = PinnedTable(session, (CATALOG, *lake.of_run().table_name))
        columns = (*contract.columns, *the_lineage_columns())
        marks = {BATCH_ID: batch.batch_id, RUN_ID: uuid4().hex}
        heard = lake.of_run().confirmations(batch, a_manifest(), the_employee_contract())
        return merge_rows(frame, rows.num_rows, lake.table(), pinned, marks, contract, mode, columns, heard)

    return AnEngine("spark", merge)


def ask_for(lake: ALake, engine: AnEngine) -> None:
    """What the contract says from now on."""
    text = (EXPECTATIONS / "employee" / "contract.yaml").read_text()
    asked = text.replace("value: single_node", f"value: {engine.name}", 1)
    assert engine.name == "single_node" or asked != text
    lake.put_expectation("employee/contract.yaml", asked)
