"""The ledger as a property of an Iceberg table, written in the same commit as what it tells of."""

from collections.abc import Mapping
from typing import Literal

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update import ValidatableTableRequirement

from etl.tables.ledger import LEDGER, Mark, add_marks, holds, ledger_to_text, parse_ledger


def read_ledger(metadata: TableMetadata) -> tuple[Mark, ...]:
    """The batches that the table has taken, oldest first: of its property, and of its snapshots."""
    summaries = [s.summary.additional_properties for s in metadata.snapshots if s.summary is not None]
    return add_marks(parse_ledger(metadata.properties.get(LEDGER)), summaries)


def has_mark(metadata: TableMetadata, marks: Mapping[str, str]) -> bool:
    return holds(read_ledger(metadata), marks)


def fold(transaction: Transaction, marks: Mapping[str, str] | None = None) -> None:
    """Let the transaction write the ledger, with the marks of all snapshots and `marks` in it.

    Every commit calls it, and whoever expires snapshots, in the transaction that does: engines that cannot
    set a property beside a snapshot (Spark) leave their marks in the summary alone. The commit fails as a
    conflict if the ledger was changed meanwhile.
    """
    metadata = transaction.table_metadata
    before = metadata.properties.get(LEDGER)
    after = ledger_to_text(add_marks(read_ledger(metadata), [marks] if marks else []))
    if after != (before or "[]"):
        transaction._apply((), (AssertLedger(expected=before),))
        transaction.set_properties({LEDGER: after})


class AssertLedger(ValidatableTableRequirement):
    """The ledger must be the one that was read.

    PyIceberg validates requirements against the very version that the catalog then replaces, so this is a
    compare-and-swap. Without it, two commits that leave the snapshot as it is would lose one's marks.
    """

    type: Literal["lakegate-assert-ledger"] = "lakegate-assert-ledger"
    expected: str | None

    def validate(self, base_metadata: TableMetadata | None) -> None:
        if base_metadata is None or base_metadata.properties.get(LEDGER) != self.expected:
            raise CommitFailedException("the ledger of the table has changed")
