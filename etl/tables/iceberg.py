"""Iceberg tables through PyIceberg; the only module that touches its internals (the version is pinned).

A merge is one overwrite snapshot: touched data files are rewritten, new rows go to new files. Conflicts are
never retried here, because a commit that is merely repeated on a new snapshot would not see the keys that the
other writer added: whoever catches CommitConflict plans the whole merge again.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.expressions import EqualTo
from pyiceberg.manifest import DataFile
from pyiceberg.table import FileScanTask, TableProperties
from pyiceberg.table import Table as PyIcebergTable

from etl.contract import Column
from etl.errors import CommitConflict, CommitStateUnknown, ContractInvalid
from etl.key import Key
from etl.steps.merge import FileUpdate, MergePlan, WantedKeys, key_row_columns, to_key_rows
from etl.tables.files import DataFiles
from etl.tables.iceberg_ledger import fold, has_mark, read_ledger
from etl.tables.overwrite import replace_files
from etl.tables.pruning import WantedRanges
from etl.tables.table import BATCH_ID

_LARGE_ROWS = 262_144  # of a file whose rewriting is worth a thread of its own


class IcebergTable:
    """Implements etl.tables.table.Table; `identifier` is (database, table)."""

    def __init__(self, catalog: Catalog, identifier: tuple[str, str]):
        self._catalog, self._identifier = catalog, identifier
        self.refresh()

    @property
    def name(self) -> str:
        return ".".join(self._identifier)

    @property
    def secret(self) -> bytes:
        """Drawn when the table was made, and known to those alone who can read its metadata files."""
        return self._table.metadata.table_uuid.bytes

    @property
    def batch_ids(self) -> frozenset[str]:
        return frozenset(batch_id for batch_id, _, _ in read_ledger(self._table.metadata))

    @property
    def snapshot_id(self) -> str:
        snapshot = self._table.current_snapshot()
        return str(snapshot.snapshot_id) if snapshot else "none"

    def refresh(self) -> None:
        self._table = _without_commit_retries(self._catalog.load_table(self._identifier))
        self._tasks: list[FileScanTask] = []

    def find_summary(self, marks: Mapping[str, str]) -> Mapping[str, str] | None:
        summaries = (snapshot.summary for snapshot in self._table.snapshots())
        told = (s.additional_properties for s in summaries if s is not None)
        return next((s for s in told if all(s.get(name) == v for name, v in marks.items())), None)

    def has_commit(self, marks: Mapping[str, str]) -> bool:
        return has_mark(self._table.metadata, marks)

    def add_columns(self, columns: Sequence[Column]) -> None:
        present = {field.name: _plain(field.type) for field in self._table.schema().as_arrow()}
        if changed := [c for c in columns if present.get(c.name, c.arrow_type) != c.arrow_type]:
            problems = (
                f"column {c.name} is {c.type} in it but {present[c.name]} in the table" for c in changed
            )
            raise ContractInvalid(self.name, tuple(problems))
        added = [(column.name, column.arrow_type) for column in columns if column.name not in present]
        if added:
            transaction = self._table.transaction()
            with transaction.update_schema() as update:
                update.union_by_name(pa.schema(added))
            with self._committing():
                transaction.commit_transaction()
            self.refresh()

    def key_rows(self, wanted: WantedKeys) -> pa.RecordBatchReader:
        files, ranges = DataFiles(self._table), WantedRanges(wanted.keys)
        tasks = self._table.scan().plan_files()
        self._tasks = [task for task in tasks if files.may_hold(task, wanted.key, ranges)]
        columns = key_row_columns(wanted.key)
        schema = to_key_rows(self._empty(columns), wanted.key, 0).schema
        return pa.RecordBatchReader.from_batches(schema, self._key_batches(wanted.key, ranges))

    def commit(self, plan: MergePlan, summary: Mapping[str, str]) -> None:
        """`plan` has to be made from the latest key_rows: it names data files by their number there."""
        transaction = self._table.transaction()
        removed = [self._tasks[number].file for number in plan.updates]
        written = self._write(plan)
        replace_files(transaction, self._table.io, removed, written, summary)
        fold(transaction, summary)
        with self._committing(written):
            transaction.commit_transaction()
        self.refresh()

    def record(self, marks: Mapping[str, str]) -> None:
        transaction = self._table.transaction()
        fold(transaction, marks)
        with self._committing():
            transaction.commit_transaction()
        self.refresh()

    def batch_rows(self, batch_id: str) -> pa.Table:
        """The rows with this value of `batch_id`."""
        return self._table.scan(EqualTo("batch_id", batch_id)).to_arrow()

    def replace_batch(self, batch_id: str, rows: pa.Table) -> None:
        """Make `rows` the table's only rows with this value of `batch_id`, in one commit."""
        summary = {BATCH_ID: batch_id}
        transaction = self._table.transaction()
        matching = EqualTo("batch_id", batch_id)
        # The rows themselves tell, also when the snapshot that brought them has expired.
        if self._table.scan(matching, selected_fields=("batch_id",), limit=1).to_arrow().num_rows:
            transaction.overwrite(rows, overwrite_filter=matching, snapshot_properties=summary)
        elif rows.num_rows:
            transaction.append(rows, snapshot_properties=summary)
        with self._committing():
            transaction.commit_transaction()
        self.refresh()

    def _committing(self, written: Sequence[DataFile] = ()) -> "_Committing":
        return _Committing(self._table, self.name, written)

    def _key_batches(self, key: Key, wanted: WantedRanges) -> Iterator[pa.RecordBatch]:
        files = DataFiles(self._table)
        for number, task in enumerate(self._tasks):
            for row, rows in files.read_wanted(task, key_row_columns(key), key, wanted):
                yield from to_key_rows(rows, key, number, row).to_batches()

    def _empty(self, columns: Sequence[str]) -> pa.Table:
        return self._table.schema().select(*columns).as_arrow().empty_table()

    def _write(self, plan: MergePlan) -> list[DataFile]:
        """To write a file keeps one processor busy, so large ones are rewritten in pairs."""
        files, rows = DataFiles(self._table), self._in_table_form(plan.rows)
        written = list(files.insert(rows, plan.inserted))

        def rewrite(number: int, update: FileUpdate) -> DataFile:
            replacing = rows.take(pa.array(update.replacing))
            return files.rewrite(self._tasks[number], update.positions, replacing)

        is_large = any(self._tasks[number].file.record_count >= _LARGE_ROWS for number in plan.updates)
        with ThreadPoolExecutor(2 if is_large else 1) as pool:
            return written + list(pool.map(rewrite, plan.updates, plan.updates.values()))

    def _in_table_form(self, rows: pa.Table) -> pa.Table:
        """`rows` in the table's column order and types; columns that only the table has are null."""
        types = {field.name: _plain(field.type) for field in self._table.schema().as_arrow()}
        return pa.table(
            {
                name: rows[name].cast(type_) if name in rows.column_names else pa.nulls(rows.num_rows, type_)
                for name, type_ in types.items()
            }
        )


class _Committing:
    """Turns what a commit may raise into our two errors, and removes the files of one that lost.

    Files are removed only after a conflict, where the catalog said that nothing was committed: that holds
    because the catalog client does not repeat a request whose answer was lost (etl/aws/catalog.py).
    """

    def __init__(self, table: PyIcebergTable, name: str, written: Sequence[DataFile]):
        self._io, self._name, self._written = table.io, name, written

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, CommitFailedException):
            for data_file in self._written:
                with contextlib.suppress(Exception):  # an orphan, which maintenance removes
                    self._io.delete(data_file.file_path)
            raise CommitConflict(self._name) from error
        if isinstance(error, Exception):
            raise CommitStateUnknown(self._name, f"{type(error).__name__}") from error


def _plain(type_: pa.DataType) -> pa.DataType:
    """PyIceberg reads strings and lists as large ones."""
    if pa.types.is_large_list(type_):
        return pa.list_(_plain(type_.value_type))
    return pa.string() if pa.types.is_large_string(type_) else type_


def _without_commit_retries(table: PyIcebergTable) -> PyIcebergTable:
    """PyIceberg repeats a commit that met a conflict without planning it again; in memory, forbid it."""
    properties = table.metadata.properties | {TableProperties.COMMIT_NUM_RETRIES: "0"}
    table.metadata = table.metadata.model_copy(update={"properties": properties})
    return table
