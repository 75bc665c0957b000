"""What a merge did to a table, whichever engine did it."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Merged:
    """Where the rows of a deduplicated batch ended; they add up to its rows.

    `conflicts` counts those among the skipped whose values differ from the table's. `already_committed` says
    that the batch was in the table before this run, which then skipped all of its rows.
    """

    inserted: int
    updated: int
    unchanged: int
    skipped: int
    conflicts: int
    snapshot_id: str
    attempts: int
    already_committed: bool = False

    @classmethod
    def before(cls, rows: int, snapshot_id: str, attempts: int) -> Self:
        """A batch of `rows` rows that was merged before this run."""
        return cls(0, 0, 0, rows, 0, snapshot_id, attempts, already_committed=True)

    @property
    def committed(self) -> bool:
        """Whether this run changed the table."""
        return self.inserted + self.updated > 0
