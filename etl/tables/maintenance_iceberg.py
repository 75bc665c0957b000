"""Maintenance of Iceberg tables through PyIceberg; as etl/tables/iceberg.py it touches its internals.

PyIceberg expires snapshots, in the metadata alone; it neither joins files nor removes what nothing names.
"""

import itertools
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue, LessThan
from pyiceberg.io.pyarrow import ArrowScan, _dataframe_to_data_files
from pyiceberg.manifest import DataFile as IcebergDataFile
from pyiceberg.manifest import ManifestContent, ManifestFile
from pyiceberg.table import TableProperties, Transaction
from pyiceberg.table.refs import MAIN_BRANCH
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update import AssertRefSnapshotId
from pyiceberg.table.update.snapshot import ExpireSnapshots, _OverwriteFiles

from etl.errors import MaintenanceUnsound
from etl.tables.iceberg import IcebergTable
from etl.tables.iceberg_ledger import fold
from etl.tables.maintenance import MAINTENANCE, DataFile, SnapshotFacts, place_of

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
        transaction = self._table.transaction()
        scan = ArrowScan(self._table.metadata, self._table.io, self._table.schema(), AlwaysTrue())
        written: list[IcebergDataFile] = []
        for group in groups:
            rows = scan.to_table([tasks[file.path] for file in group])
            files = self._write_one(transaction, rows)
            if sum(file.record_count for file in files) != rows.num_rows:
                raise MaintenanceUnsound(self.name, "joined files hold another number of rows")
            written += files
        replacing = _Compaction(
            operation=Operation.OVERWRITE,
            transaction=transaction,
            io=self._table.io,
            snapshot_properties={MAINTENANCE: "compaction"},
        )
        with replacing:
            for file in itertools.chain.from_iterable(groups):
                replacing.delete_data_file(tasks[file.path].file)
            for data_file in written:
                replacing.append_data_file(data_file)
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

    def _write_one(self, transaction: Transaction, rows: pa.Table) -> list[IcebergDataFile]:
        """PyIceberg would split by the size in memory, into files that were small again."""
        unsplit = {TableProperties.WRITE_TARGET_FILE_SIZE_BYTES: str(2**62)}
        metadata = transaction.table_metadata
        properties = metadata.properties | unsplit
        return list(
            _dataframe_to_data_files(
                metadata.model_copy(update={"properties": properties}),
                self._in_table_form(rows),
                self._table.io,
                write_uuid=uuid.uuid4(),
                counter=itertools.count(),
            )
        )


class _Compaction(_OverwriteFiles):
    """An overwrite without the manifests that hold no live file; PyIceberg's carries them along for ever."""

    def _process_manifests(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
        return [
            manifest
            for manifest in manifests
            if manifest.has_added_files()
            or manifest.has_existing_files()
            or manifest.added_snapshot_id == self._snapshot_id
        ]
