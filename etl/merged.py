"""What became of a batch's rows, whichever engine merged them."""

import json
from dataclasses import dataclass
from typing import Self

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did to a table: where the rows of a deduplicated batch ended; they add up to its rows.

    `conflicts` counts those among the skipped whose values differ from the table's. `already_committed` says
    that another run had merged the batch before this one, which then skipped all of its rows. `splits` counts
    those among the inserted that may be somebody the table knows by another age (etl/steps/identity.py).
    `conflict_keys` and `split_keys` are the first of their keys (etl.steps.listed_keys.list_keys); a run that
    only finds its own commit does not know them.
    """

    inserted: int
    updated: int
    unchanged: int
    skipped: int
    conflicts: int
    snapshot_id: str = "none"
    attempts: int = 1
    already_committed: bool = False
    splits: int = 0
    conflict_keys: pa.Table | None = None
    split_keys: pa.Table | None = None

    @classmethod
    def before(cls, rows: int, snapshot_id: str) -> Self:
        """A batch of `rows` rows that another run merged before."""
        return cls(0, 0, 0, rows, 0, snapshot_id, already_committed=True)

    @classmethod
    def from_json(cls, counts: str, snapshot_id: str) -> Self:
        return cls(**json.loads(counts), snapshot_id=snapshot_id)

    def to_json(self) -> str:
        """The counts, which a commit carries: a run that is killed right after it can still report them."""
        return json.dumps({name: getattr(self, name) for name in _COUNTS})

    @property
    def committed(self) -> bool:
        """Whether this run changed the table."""
        return self.inserted + self.updated > 0


_COUNTS = ("inserted", "updated", "unchanged", "skipped", "conflicts", "splits")


@dataclass(frozen=True, slots=True)
class Duplicates:
    """How many rows a batch lost to other rows with their key, equal to those or not.

    `collisions` counts the keys that stand in the batch with different values, where keys name somebody;
    `collision_keys` are the first of them (etl.steps.listed_keys.list_keys).
    """

    exact: int
    conflicting: int
    collisions: int = 0
    collision_keys: pa.Table | None = None
