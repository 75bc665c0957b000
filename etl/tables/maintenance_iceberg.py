"""Maintenance of Iceberg tables through PyIceberg; as etl/tables/iceberg.py it touches its internals.

PyIceberg expires snapshots, in the metadata alone; it neither joins files nor removes what nothing names.
"""

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from pyiceberg.expressions import LessThan
from pyiceberg.manifest import DataFile as IcebergDataFile
from pyiceberg.manifest import ManifestContent, ManifestFile
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import FileScanTask
from pyiceberg.table.refs import MAIN_BRANCH
from pyiceberg.table.update import AssertRefSnapshotId
from pyiceberg.table.update.snapshot import ExpireSnapshots

from etl.errors import MaintenanceUnsound
from etl.tables.files import DataFiles, to_row_groups
from etl.tables.iceberg import IcebergTable
from etl.tables.iceberg_ledger import fold
from etl.tables.maintenance import MAINTENANCE, DataFile, SnapshotFacts, place_of
from etl.tables.overwrite import replace_files

_READERS = 8


class MaintainedTable(IcebergTable):
    """What maintenance reads of a table and does to it.

    Each change is one commit on the snapshot that the last `refresh` found. It refreshes, and raises
    CommitConflict and CommitStateUnknown as a merge does.
    """

    @property
    def location(self) -> str:
        return self._table.location()

    def data_files(self) -> list[DataFile]:
        snapshot = self._table.current_snapshot()
        manifests = snapshot.manifests(self._table.io) if snapshot else []
        return [
            DataFile(
                entry.data_file.file_path,
                entry.data_file.file_size_in_bytes,
                entry.data_file.record_count,
                entry.sequence_number or 0,
            )
            for manifest in manifests
            if manifest.content is ManifestContent.DATA
            for entry in manifest.fetch_manifest_entry(self._table.io)
        ]

    def snapshots(self) -> list[SnapshotFacts]:
        return [
            SnapshotFacts(
                s.snapshot_id, s.parent_snapshot_id, datetime.fromtimestamp(s.timestamp_ms / 1000, UTC)
            )
            for s in self._table.metadata.snapshots
        ]

    @property
    def current_id(self) -> int | None:
        snapshot = self._table.current_snapshot()
        return snapshot.snapshot_id if snapshot else None

    def named_snapshots(self) -> set[int]:
        return {ref.snapshot_id for ref in self._table.metadata.refs.values()}

    def compact(self, groups: Sequence[Sequence[DataFile]]) -> int:
        """Write each group as one file, and put these in the places of the old ones; answer how many."""
        tasks = {task.file.file_path: task for task in self._table.scan().plan_files()}
        joining = [[tasks[file.path] for file in group] for group in groups]
        written = [self._join(group) for group in joining]
        removed = [task.file for task in itertools.chain.from_iterable(joining)]
        transaction = self._table.transaction()
        replace_files(transaction, self._table.io, removed, written, {MAINTENANCE: "compaction"})
        with self._committing(written):
            transaction.commit_transaction()
        self.refresh()
        return len(written)

    def delete_rows(self, column: str, before: datetime) -> int:
        """Delete the rows whose timestamp is earlier, and answer how many; without any, commit nothing."""
        earlier = LessThan(column, before.astimezone(UTC).replace(tzinfo=None).isoformat())
        found = self._table.scan(row_filter=earlier, selected_fields=(column,)).count()
        if found:
            transaction = self._table.transaction()
            transaction.delete(earlier, snapshot_properties={MAINTENANCE: "retention"})
            with self._committing():
                transaction.commit_transaction()
            self.refresh()
        return found

    def expire(self, snapshot_ids: Sequence[int]) -> None:
        """Let the snapshots go; their files become orphans, and are removed as such."""
        transaction = self._table.transaction()
        fold(transaction)  # the marks of these snapshots outlive them
        ExpireSnapshots(transaction).by_ids(list(snapshot_ids)).commit()
        # PyIceberg requires nothing here, and a table rolled back to one of these would lose its branch.
        transaction._apply((), (AssertRefSnapshotId(ref=MAIN_BRANCH, snapshot_id=self.current_id),))
        with self._committing():
            transaction.commit_transaction()
        self.refresh()

    def reachable(self) -> set[str]:
        """The places of all files that a snapshot, the metadata or a statistic names, whatever their age."""
        metadata, io = self._table.metadata, self._table.io
        named = [self._table.metadata_location, *(entry.metadata_file for entry in metadata.metadata_log)]
        named += [s.statistics_path for s in (*metadata.statistics, *metadata.partition_statistics)]
        named += [snapshot.manifest_list for snapshot in metadata.snapshots]

        def files_of(manifest: ManifestFile) -> list[str]:
            return [entry.data_file.file_path for entry in manifest.fetch_manifest_entry(io)]

        with ThreadPoolExecutor(_READERS) as pool:
            lists = pool.map(lambda snapshot: snapshot.manifests(io), metadata.snapshots)
            manifests = {manifest.manifest_path: manifest for found in lists for manifest in found}
            named += manifests
            named += itertools.chain.from_iterable(pool.map(files_of, manifests.values()))
        return {place_of(path) for path in named}

    def owns(self, metadata_uri: str) -> bool:
        """Whether the metadata file is of this table, and not of one that was at its location before."""
        found = FromInputFile.table_metadata(self._table.io.new_input(metadata_uri))
        return found.table_uuid == self._table.metadata.table_uuid

    def _join(self, tasks: Sequence[FileScanTask]) -> IcebergDataFile:
        files, columns = DataFiles(self._table), self._table.schema().column_names
        rows = itertools.chain.from_iterable(files.read(task, columns) for task in tasks)
        joined = files.write(to_row_groups(map(self._in_table_form, rows)))
        expected = sum(task.file.record_count for task in tasks)
        if joined.record_count != expected and not any(task.delete_files for task in tasks):
            raise MaintenanceUnsound(self.name, f"{expected} rows would become {joined.record_count}")
        return joined
