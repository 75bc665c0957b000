"""Data files of an Iceberg table, read and written as streams; PyIceberg's internals, as in iceberg.py."""

import uuid
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.fileformat import FileFormatFactory
from pyiceberg.io.pyarrow import (
    _combine_positional_deletes,
    _read_all_delete_files,
    _to_requested_schema,
    pyarrow_to_schema,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.schema import Schema, prune_columns, sanitize_column_names
from pyiceberg.table import FileScanTask, TableProperties
from pyiceberg.table import Table as PyIcebergTable
from pyiceberg.table.locations import load_location_provider
from pyiceberg.typedef import Record

from etl.tables.pruning import Bounds, WantedRanges

_ROWS_AT_ONCE = 65_536  # in memory: at 200 bytes a row some 13 MB
_GROUP_ROWS = 131_072  # in a row group
_REPEATED_BYTES = 8  # of a value on average: less than that, and most are places in a dictionary


class DataFiles:
    """The data files of one version of a table without partitions."""

    def __init__(self, table: PyIcebergTable):
        self._metadata, self._io = table.metadata, table.io
        self._schema = table.schema()

    def may_hold(self, task: FileScanTask, key: Sequence[str], wanted: WantedRanges) -> bool:
        """Whether a wanted key can stand in the file, by the bounds in its manifest."""
        lower, upper = task.file.lower_bounds or {}, task.file.upper_bounds or {}
        return wanted.may_stand_in([(lower.get(field), upper.get(field)) for field in self._ids(key)])

    def read(self, task: FileScanTask, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The file's live rows in their order and in the table's types, repetitive text as dictionaries."""
        return (rows for _, rows in self.read_wanted(task, columns))

    def read_wanted(
        self,
        task: FileScanTask,
        columns: Sequence[str],
        key: Sequence[str] = (),
        wanted: WantedRanges | None = None,
    ) -> Iterator[tuple[int, pa.Table]]:
        """The same without row groups that can hold no wanted key; with each part's first row's number."""
        asked = self._schema.select(*columns)
        deletes = _read_all_delete_files(self._io, [task]).get(task.file.file_path, [])
        with self._io.new_input(task.file.file_path).open() as source:
            metadata = pq.read_metadata(source)
            stored = self._stored_schema(metadata)
            present = prune_columns(stored, asked.field_ids, select_full_types=False)
            names = [field.name for field in present.fields]
            file = pq.ParquetFile(source, metadata=metadata, read_dictionary=_repetitive(metadata))
            groups = list(range(metadata.num_row_groups))
            if wanted and not deletes:
                paths = [stored.find_column_name(field) for field in self._ids(key)]
                groups = [n for n in groups if wanted.may_stand_in(_bounds(metadata.row_group(n), paths))]
            for first, stretch in _stretches(metadata, groups):
                start = row = first
                for batch in file.iter_batches(_ROWS_AT_ONCE, row_groups=stretch, columns=names):
                    end = start + batch.num_rows
                    if deletes:
                        batch = batch.take(_combine_positional_deletes(deletes, start, end))
                    yield row, pa.Table.from_batches([_to_requested_schema(asked, present, batch)])
                    start, row = end, row + batch.num_rows

    def rewrite(self, task: FileScanTask, positions: np.ndarray, replacing: pa.Table) -> DataFile:
        """A copy of the file in which `replacing` takes the place of the rows at `positions`, ascending.

        They come to stand in the row group of those that they replace, at its end.
        """
        return self.write(to_row_groups(self._replaced(task, positions, replacing)))

    def insert(self, rows: pa.Table, positions: np.ndarray) -> Iterator[DataFile]:
        """As many files as the table's target size asks for, of the rows at `positions`."""
        size = rows.nbytes * len(positions) // max(rows.num_rows, 1)
        count = max(1, -(-size // self._target_bytes()))
        for part in np.array_split(positions, count) if len(positions) else ():
            groups = (part[start : start + _GROUP_ROWS] for start in range(0, len(part), _GROUP_ROWS))
            yield self.write(rows.take(pa.array(group)) for group in groups)

    def write(self, groups: Iterable[pa.Table]) -> DataFile:
        """One file, each of `groups` a row group of it: rows with all columns of the table."""
        stored = sanitize_column_names(self._schema)
        model = FileFormatFactory.get(FileFormat.PARQUET)
        provider = load_location_provider(self._metadata.location, self._metadata.properties)
        output = self._io.new_output(provider.new_data_location(f"{uuid.uuid4()}.{model.file_extension()}"))
        with model.create_writer(output, stored, self._metadata.properties) as writer:
            # That text is held in dictionaries here is no type of the file: PyIceberg would read it as one,
            # and not join it with files that have none.
            writer._parquet_writer_kwargs["store_schema"] = False
            for group in groups:
                batches = [
                    _to_requested_schema(
                        stored, self._schema, batch, include_field_ids=True, format_model=model
                    )
                    for batch in group.combine_chunks().to_batches()
                ]
                writer.write(pa.Table.from_batches(batches))
        return DataFile.from_args(
            content=DataFileContent.DATA,
            file_path=output.location,
            file_format=FileFormat.PARQUET,
            partition=Record(),
            file_size_in_bytes=len(output),
            sort_order_id=None,
            spec_id=self._metadata.default_spec_id,
            equality_ids=None,
            key_metadata=None,
            **writer.result().to_serialized_dict(),
        )

    def _ids(self, columns: Sequence[str]) -> list[int]:
        return [self._schema.find_field(name).field_id for name in columns]

    def _stored_schema(self, metadata: pq.FileMetaData) -> Schema:
        return pyarrow_to_schema(
            metadata.schema.to_arrow_schema(),
            self._metadata.name_mapping(),
            downcast_ns_timestamp_to_us=True,
            format_version=self._metadata.format_version,
        )

    def _target_bytes(self) -> int:
        """Of the rows unpacked, as PyIceberg counts it: several times the size of the file."""
        default = TableProperties.WRITE_TARGET_FILE_SIZE_BYTES_DEFAULT
        return int(self._metadata.properties.get(TableProperties.WRITE_TARGET_FILE_SIZE_BYTES, default))

    def _replaced(self, task: FileScanTask, positions: np.ndarray, replacing: pa.Table) -> Iterator[pa.Table]:
        for start, rows in self.read_wanted(task, self._schema.column_names):
            first, last = np.searchsorted(positions, (start, start + rows.num_rows))
            if first < last:
                kept = np.ones(rows.num_rows, bool)
                kept[positions[first:last] - start] = False
                new = replacing.slice(first, last - first).cast(rows.schema)
                rows = pa.concat_tables([rows.filter(pa.array(kept)), new])
            yield rows


def to_row_groups(parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in larger parts: of a file with a row group for each small one little would be gained."""
    gathered: list[pa.Table] = []
    for part in parts:
        gathered.append(part)
        if sum(table.num_rows for table in gathered) >= _GROUP_ROWS:
            yield pa.concat_tables(gathered)
            gathered = []
    if gathered:
        yield pa.concat_tables(gathered)


def _stretches(metadata: pq.FileMetaData, groups: Sequence[int]) -> list[tuple[int, list[int]]]:
    """Runs of row groups that follow each other, with the number of each run's first row."""
    stretches: list[tuple[int, list[int]]] = []
    firsts = np.cumsum([0, *(metadata.row_group(n).num_rows for n in range(metadata.num_row_groups))])
    for number in groups:
        if stretches and stretches[-1][1][-1] == number - 1:
            stretches[-1][1].append(number)
        else:
            stretches.append((int(firsts[number]), [number]))
    return stretches


def _bounds(group: pq.RowGroupMetaData, paths: Sequence[str | None]) -> list[Bounds]:
    """Of these columns in the row group, serialised as Iceberg does."""
    chunks = [group.column(number) for number in range(group.num_columns)]
    found = {chunk.path_in_schema: chunk.statistics for chunk in chunks if _is_comparable(chunk)}
    return [
        (_serialised(found[path].min_raw), _serialised(found[path].max_raw))
        if path in found and found[path].has_min_max
        else (None, None)
        for path in paths
    ]


def _is_comparable(chunk: pq.ColumnChunkMetaData) -> bool:
    """Iceberg's times are in microseconds; bounds in another unit, of a file that was added, say nothing."""
    logical = chunk.statistics.logical_type if chunk.is_stats_set else None
    return logical is not None and (logical.type != "TIMESTAMP" or "microseconds" in logical.to_json())


def _serialised(bound: object) -> bytes | None:
    if isinstance(bound, int):
        return bound.to_bytes(8, "little", signed=True)
    return bound if isinstance(bound, bytes) else None


def _repetitive(metadata: pq.FileMetaData) -> list[str]:
    """Text columns whose values repeat; read as dictionaries they take a third of the time."""
    if not metadata.num_row_groups:
        return []
    group, types = metadata.row_group(0), metadata.schema.to_arrow_schema()
    chunks = [group.column(number) for number in range(group.num_columns)]
    return [
        chunk.path_in_schema
        for chunk in chunks
        if chunk.has_dictionary_page
        and chunk.total_uncompressed_size < _REPEATED_BYTES * chunk.num_values
        and chunk.path_in_schema in types.names
        and pa.types.is_string(types.field(chunk.path_in_schema).type)
    ]
