"""The maintenance of a dataset's tables: the steps in order, what they did, and how it is told.

Each step is a commit of its own or none, and decides anew from what it finds: a run that was killed anywhere
leaves a table that readers see whole, and the next run does the rest.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from etl.aws.lake import Lake
from etl.contract import Contract
from etl.errors import CommitConflict, CommitStateUnknown, MaintenanceUnsound
from etl.maintenance_report import MaintenanceReport, TableMaintained, TableState
from etl.stopwatch import Stopwatch
from etl.tables.maintenance import (
    TableFiles,
    Upkeep,
    choose_expired,
    choose_orphans,
    place_of,
    plan_compaction,
    take_up_to,
)
from etl.tables.maintenance_iceberg import MaintainedTable
from etl.tables.writing import attempts_at_commit

logger = logging.getLogger(__name__)

# A merge plans itself anew after a conflict, eight times at most: the commits of one maintenance run must not
# use these up, and must come quickly enough to find a gap between those of merges.
_COMPACTIONS_PER_RUN = 4
_BYTES_PER_COMPACTION = 512 * 2**20
_COMPACTION_ATTEMPTS = 3
_ATTEMPTS = 8


def run_maintenance(run_id: str, lake: Lake, now: datetime) -> MaintenanceReport:
    """Keep both tables of the dataset in order, and report. `now` is what ages are counted from."""
    watch = Stopwatch()
    contract = lake.read_contract()
    tables = []
    for zone in ("quarantine", "processed"):
        with watch.stage(zone):
            tables.append(
                maintain_table(lake.maintained_table(zone), lake.table_files(), _upkeep(contract, zone), now)
            )
    report = MaintenanceReport(
        dataset=contract.dataset,
        run_id=run_id,
        tables=tuple(tables),
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=watch.seconds | {"total": watch.total},
    )
    lake.write_maintenance_report(report)
    lake.publish_metrics(_metrics(report))
    return report


def maintain_table(
    table: MaintainedTable, files: TableFiles, upkeep: Upkeep, now: datetime
) -> TableMaintained:
    """Old rows first, or they were joined into new files; orphans last, since the other steps make some."""
    before = _state(table, upkeep)
    rows_deleted = 0
    if upkeep.keep_rows:
        rows_deleted = _insist(table, lambda: table.delete_rows("quarantined_at", now - upkeep.keep_rows))
    joined = _compact(table, upkeep)
    expired = _insist(table, lambda: _expire(table, upkeep, now))
    removed, freed = _remove_orphans(table, files, upkeep, now)
    return TableMaintained(
        table=table.name,
        before=before,
        after=_state(table, upkeep),
        rows_deleted=rows_deleted,
        snapshots_expired=expired,
        orphans_removed=removed,
        bytes_freed=freed,
        **joined,
    )


def _upkeep(contract: Contract, zone: str) -> Upkeep:
    settings = contract.maintenance
    is_quarantine = zone == "quarantine"
    return Upkeep(
        target_bytes=settings.target_file_mib * 2**20,
        min_files=settings.min_files_to_compact,
        keep_snapshots=timedelta(days=settings.keep_snapshots_days),
        # Rows that were kept long enough must go from the history too, however few commits there were since.
        keep_snapshots_at_least=1 if is_quarantine else settings.keep_snapshots_at_least,
        orphan_age=timedelta(hours=settings.orphan_age_hours),
        keep_rows=timedelta(days=contract.quarantine_retention_days) if is_quarantine else None,
    )


def _compact(table: MaintainedTable, upkeep: Upkeep) -> dict[str, Any]:
    """Join small files in a few bounded commits; a writer who keeps coming first is given way."""
    done = {"files_joined": 0, "files_written": 0, "compactions": 0, "gave_way": False}
    for _ in range(_COMPACTIONS_PER_RUN):
        try:
            joined, written = _insist(table, lambda: _join_some(table, upkeep), _COMPACTION_ATTEMPTS)
        except (CommitConflict, CommitStateUnknown) as error:
            logger.info("%s; the next run joins its files", error)
            return done | {"gave_way": True}
        if not joined:
            break
        done["files_joined"] += joined
        done["files_written"] += written
        done["compactions"] += 1
    return done


def _join_some(table: MaintainedTable, upkeep: Upkeep) -> tuple[int, int]:
    """How many files were replaced by how many, in one commit; of none, there is no commit."""
    groups = plan_compaction(table.data_files(), upkeep)
    if not groups:
        return 0, 0
    taken = take_up_to(groups, _BYTES_PER_COMPACTION)
    return sum(map(len, taken)), table.compact(taken)


def _expire(table: MaintainedTable, upkeep: Upkeep, now: datetime) -> int:
    expired = choose_expired(table.snapshots(), table.current_id, table.named_snapshots(), now, upkeep)
    if expired:
        table.expire(expired)
    return len(expired)


def _remove_orphans(
    table: MaintainedTable, files: TableFiles, upkeep: Upkeep, now: datetime
) -> tuple[int, int]:
    """How many were removed, and their bytes. It lists first: what is committed after that is too young."""
    stored = list(files.list(table.location))
    table.refresh()
    reachable = table.reachable()
    if reachable.isdisjoint(place_of(file.uri) for file in stored):
        raise MaintenanceUnsound(table.name, "none of the files that it names is at its location")
    orphans = choose_orphans(stored, reachable, now, upkeep)
    # A table that was dropped by mistake and made anew would take its own past for orphans.
    if not all(table.owns(file.uri) for file in orphans if file.uri.endswith(".metadata.json")):
        raise MaintenanceUnsound(table.name, "files of another table are at its location")
    files.delete(orphans)
    return len(orphans), sum(file.size_bytes for file in orphans)


def _insist(table: MaintainedTable, change: Callable[[], Any], most: int = _ATTEMPTS) -> Any:
    """What the change returns, planned anew after each conflict and each commit of which nothing is known."""

    def plan_and_commit() -> Any:
        table.refresh()
        return change()

    return attempts_at_commit(most)(plan_and_commit)


def _state(table: MaintainedTable, upkeep: Upkeep) -> TableState:
    table.refresh()
    files = table.data_files()
    return TableState(
        data_files=len(files),
        small_files=sum(upkeep.is_small(file.size_bytes) for file in files),
        data_bytes=sum(file.size_bytes for file in files),
        rows=sum(file.rows for file in files),
        snapshots=len(table.snapshots()),
    )


def _metrics(report: MaintenanceReport) -> dict[str, float]:
    def total(count: Callable[[TableMaintained], int]) -> int:
        return sum(map(count, report.tables))

    return {
        "DataFiles": total(lambda t: t.after.data_files),
        "SmallFiles": total(lambda t: t.after.small_files),
        "Snapshots": total(lambda t: t.after.snapshots),
        "OrphansRemoved": total(lambda t: t.orphans_removed),
        "QuarantineRowsDeleted": total(lambda t: t.rows_deleted),
        "MaintenanceSeconds": report.seconds["total"],
    }
