"""What a merge needs of a table, whatever the table's format."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import pyarrow as pa

from etl.contract import Column
from etl.steps.merge import MergePlan, WantedKeys

# In the summary of each snapshot: the batch it was committed for, the checksum of its staged rows, the run
# that made it, and what became of the rows. A batch that is judged anew, by another suite say, may let other
# rows pass, and is then another commit.
BATCH_ID = "lakegate.batch-id"
STAGED_SHA256 = "lakegate.staged-sha256"
RUN_ID = "lakegate.run-id"
COUNTS = "lakegate.counts"


class Table(Protocol):
    """A table with snapshots. All reads are of the snapshot that the last `refresh` found."""

    @property
    def name(self) -> str: ...

    @property
    def snapshot_id(self) -> str:
        """The current snapshot, or `none` for a table without one."""
        ...

    @property
    def batch_ids(self) -> Collection[str]:
        """The batches that the table has taken, as far as its snapshots and its ledger know them."""
        ...

    def refresh(self) -> None: ...

    def find_summary(self, marks: Mapping[str, str]) -> Mapping[str, str] | None:
        """The summary of a snapshot that has all of these in it, while there is one."""
        ...

    def has_commit(self, marks: Mapping[str, str]) -> bool:
        """Whether the table has taken a batch with all of these, by its snapshots or its ledger."""
        ...

    def add_columns(self, columns: Sequence[Column]) -> None:
        """Add, as nullable, those of `columns` that the table lacks, and refresh.

        Raises ContractInvalid when the table has one of them with another type, and what `commit` raises.
        """
        ...

    def key_rows(self, wanted: WantedKeys) -> pa.RecordBatchReader:
        """All rows with a wanted key, and others, as etl.steps.merge.to_key_rows gives them; in a stream."""
        ...

    def commit(self, plan: MergePlan, summary: Mapping[str, str]) -> None:
        """Make the change as one snapshot with `summary`, in the ledger too, and refresh.

        Raises CommitConflict when another writer came first (plan again), and CommitStateUnknown when it is
        not known whether the commit happened (refresh, then look for the batch).
        """
        ...

    def record(self, marks: Mapping[str, str]) -> None:
        """Put a batch that changed nothing into the ledger, without a snapshot. Raises what `commit` does."""
        ...
