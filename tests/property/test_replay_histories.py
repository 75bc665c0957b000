"""Random histories of runs over one batch, of which some die: each line is in the table or in quarantine."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pyarrow as pa
import pytest
from builders import NOON, a_batch, the_quarantine_columns
from hypothesis import given, settings
from hypothesis import strategies as st
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.memory import InMemoryCatalog

from etl.tables.iceberg import IcebergTable
from etl.tables.writing import release_rows, set_aside

pytestmark = pytest.mark.slow

LINES = frozenset({2, 3, 4})
BATCH_ID = a_batch().batch_id
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Run:
    """A gate whose suite fails these lines, and its merge; `fate` says how far it comes.

    `waits` lets the gate of the next run go before its merge.
    """

    failing: frozenset[int]
    fate: str
    waits: bool


FATES = ("none", "killed after the gate", "killed between the commits")
runs = st.builds(Run, st.frozensets(st.sampled_from(sorted(LINES))), st.sampled_from(FATES), st.booleans())


@dataclass
class Tables:
    """The quarantine, which is real, and the lines that were merged."""

    quarantine: IcebergTable
    merged: set[int] = field(default_factory=set)

    def gate(self, run: Run) -> tuple[int, ...]:
        return set_aside(self.quarantine, BATCH_ID, rows(run.failing))

    def merge(self, run: Run, released: tuple[int, ...]) -> None:
        if run.fate == "killed after the gate":
            return
        self.merged |= LINES - run.failing
        if run.fate == "none":
            release_rows(self.quarantine, BATCH_ID, released)

    @property
    def set_aside(self) -> list[int]:
        self.quarantine.refresh()
        return sorted(self.quarantine.batch_rows(BATCH_ID)["line_number"].to_pylist())


def rows(lines: frozenset[int]) -> pa.Table:
    schema = pa.schema([(column.name, column.arrow_type) for column in the_quarantine_columns()])
    common = dict.fromkeys(schema.names) | {
        "batch_id": BATCH_ID,
        "reasons": ["age"],
        "quarantined_at": NOON.replace(tzinfo=None),
    }
    return pa.Table.from_pylist([common | {"line_number": line} for line in sorted(lines)], schema)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    catalog = InMemoryCatalog("test", warehouse=str(tmp_path_factory.mktemp("warehouse")))
    catalog.create_namespace("db")
    return catalog


@settings(deadline=None, max_examples=15)
@given(st.lists(runs, min_size=1, max_size=4))
def test_a_row_that_was_set_aside_is_in_quarantine_until_it_is_merged(catalog: Catalog, history: list[Run]):
    """Whoever dies and whoever comes between: it is somewhere, in quarantine once; a whole run tidies up."""
    identifier = ("db", f"t{next(_numbers)}")
    catalog.create_table(identifier, rows(frozenset()).schema)
    tables = Tables(IcebergTable(catalog, identifier))
    waiting: list[tuple[Run, tuple[int, ...]]] = []
    ever: set[int] = set()
    for run in history:
        waiting.append((run, tables.gate(run)))
        ever |= run.failing
        check(tables, ever)
        if run.waits:
            continue
        for other, released in waiting:
            tables.merge(other, released)
            check(tables, ever)
        if len(waiting) == 1 and run.fate == "none":
            assert tables.set_aside == sorted(run.failing)
        waiting.clear()


def check(tables: Tables, ever: set[int]) -> None:
    found = tables.set_aside
    assert len(found) == len(set(found))
    assert ever <= set(found) | tables.merged
