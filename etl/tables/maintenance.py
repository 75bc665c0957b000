"""What keeps a table in order, decided from facts alone: files to join, snapshots and files to let go."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

MAINTENANCE = "lakegate.maintenance"
"""In the summary of a snapshot that maintenance made: for what. Such a snapshot has no batch."""

# A file of less than this share of the target is worth joining; Iceberg's own rewriting takes the same.
_SMALL = 0.75


@dataclass(frozen=True, slots=True)
class Upkeep:
    """How a table is kept; `keep_rows` None keeps them for ever. Ages count back from the time of the run."""

    target_bytes: int
    min_files: int
    keep_snapshots: timedelta
    keep_snapshots_at_least: int
    orphan_age: timedelta
    keep_rows: timedelta | None = None

    def is_small(self, size_bytes: int) -> bool:
        return size_bytes < _SMALL * self.target_bytes


@dataclass(frozen=True, slots=True)
class DataFile:
    """A live data file; files with a lower `sequence_number` were committed earlier."""

    path: str
    size_bytes: int
    rows: int
    sequence_number: int


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    snapshot_id: int
    parent_id: int | None
    made_at: datetime


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An object below the table's location, live or not; `uri` is s3://bucket/key."""

    uri: str
    size_bytes: int
    modified_at: datetime


class TableFiles(Protocol):
    """The objects below a table's location, whatever stores them."""

    def list(self, location: str) -> Iterator[StoredFile]: ...

    def delete(self, files: Sequence[StoredFile]) -> None: ...


def plan_compaction(files: Iterable[DataFile], upkeep: Upkeep) -> list[tuple[DataFile, ...]]:
    """Groups of small files, each to become one file of about the target size.

    Neighbours in time stay together: what came together has dates near each other, by which readers skip
    files. A group is worth its rewriting when it has enough files, or makes a file that is small no more.
    """
    small = (file for file in files if upkeep.is_small(file.size_bytes))
    groups: list[list[DataFile]] = [[]]
    for file in sorted(small, key=lambda file: (file.sequence_number, file.path)):
        if groups[-1] and _size(groups[-1]) + file.size_bytes > upkeep.target_bytes:
            groups.append([])
        groups[-1].append(file)
    return [
        tuple(group)
        for group in groups
        if len(group) >= upkeep.min_files or (len(group) > 1 and not upkeep.is_small(_size(group)))
    ]


def take_up_to(groups: Sequence[tuple[DataFile, ...]], limit_bytes: int) -> list[tuple[DataFile, ...]]:
    """The first groups that hold no more than the limit together; one at least."""
    taken, total = list(groups[:1]), _size(groups[0])
    for group in groups[1:]:
        total += _size(group)
        if total > limit_bytes:
            break
        taken.append(group)
    return taken


def choose_expired(
    snapshots: Iterable[SnapshotFacts],
    current_id: int | None,
    named: Collection[int],
    now: datetime,
    upkeep: Upkeep,
) -> list[int]:
    """Ids of the snapshots that nobody should read any more; never of one that is `named` (branches, tags).

    What counts is when a snapshot ceased to be the table, not when it was made: a reader may have begun on a
    snapshot of last year one second before it was replaced.
    """
    by_id = {snapshot.snapshot_id: snapshot for snapshot in snapshots}
    until = now - upkeep.keep_snapshots
    replaced_at: dict[int, datetime] = {}
    kept: set[int] = set(named)
    newer: SnapshotFacts | None = None
    current = by_id.get(current_id) if current_id is not None else None
    for position, snapshot in enumerate(_ancestry(current, by_id)):
        if newer:
            replaced_at[snapshot.snapshot_id] = newer.made_at
        if position < upkeep.keep_snapshots_at_least or not newer:
            kept.add(snapshot.snapshot_id)
        newer = snapshot
    return [
        snapshot_id
        for snapshot_id, snapshot in by_id.items()
        if snapshot_id not in kept and replaced_at.get(snapshot_id, snapshot.made_at) < until
    ]


def choose_orphans(
    stored: Iterable[StoredFile], reachable: Collection[str], now: datetime, upkeep: Upkeep
) -> list[StoredFile]:
    """What no snapshot, metadata file or statistic names, and no running writer can still be about to commit.

    `reachable` are places, as place_of gives them.
    """
    until = now - upkeep.orphan_age
    return [file for file in stored if file.modified_at < until and place_of(file.uri) not in reachable]


def place_of(uri: str) -> str:
    """Bucket and key: engines write s3://, s3a:// and s3n:// for the same object."""
    scheme, mark, place = uri.partition("://")
    return place if mark else scheme


def _ancestry(snapshot: SnapshotFacts | None, by_id: dict[int, SnapshotFacts]) -> Iterator[SnapshotFacts]:
    while snapshot:
        yield snapshot
        snapshot = by_id.get(snapshot.parent_id) if snapshot.parent_id is not None else None


def _size(files: Iterable[DataFile]) -> int:
    return sum(file.size_bytes for file in files)
