"""One snapshot that puts data files in the places of others; PyIceberg's internals, as in iceberg.py."""

from collections.abc import Iterable, Mapping

from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFile, ManifestFile
from pyiceberg.table import Transaction
from pyiceberg.table.refs import MAIN_BRANCH
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _OverwriteFiles


def replace_files(
    transaction: Transaction,
    io: FileIO,
    removed: Iterable[DataFile],
    added: Iterable[DataFile],
    summary: Mapping[str, str],
) -> None:
    """Let the transaction make a snapshot with `summary`, of its table's files but for those removed."""
    replaces = transaction.table_metadata.snapshot_by_name(MAIN_BRANCH) is not None
    snapshot = _LeanOverwrite(
        operation=Operation.OVERWRITE if replaces else Operation.APPEND,
        transaction=transaction,
        io=io,
        snapshot_properties=dict(summary),
    )
    with snapshot:
        for data_file in removed:
            snapshot.delete_data_file(data_file)
        for data_file in added:
            snapshot.append_data_file(data_file)


class _LeanOverwrite(_OverwriteFiles):
    """PyIceberg's carries manifests without a live file along, one more for each commit that replaces one."""

    def _process_manifests(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
        return [
            manifest
            for manifest in manifests
            if manifest.has_added_files()
            or manifest.has_existing_files()
            or manifest.added_snapshot_id == self._snapshot_id
        ]
