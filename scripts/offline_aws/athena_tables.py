"""The emulated Glue catalog's tables as Arrow, with the columns and rows that the asking role may see."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.glue.models import FakeTable, glue_backends
from moto.s3.models import s3_backends

from scripts.offline_aws import lake_formation
from scripts.offline_aws.athena_json import HIVE_JSON, Projection, json_rows, to_arrow
from scripts.offline_aws.athena_sql import DEFAULT_CATALOG, QueryFailed
from scripts.offline_aws.execution import PARTITION
from scripts.offline_aws.state import ServerState

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.table import StaticTable

ICEBERG_VIEWS = {"snapshots": "snapshots", "history": "history", "files": "files", "refs": "refs"}
"""What Athena shows under a table's name with `$` → PyIceberg's name for it."""

OPEN_CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"


@dataclass(frozen=True, slots=True)
class AsOf:
    """The version of an Iceberg table that a query asks for."""

    snapshot_id: int | None = None
    moment: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scanned:
    data: pa.Table
    scanned_bytes: int
    casts: dict[str, str]
    """Columns that are still text, and the DuckDB type that each is to become; null where it cannot."""
    filtered: Filtered | None = None


@dataclass(frozen=True, slots=True)
class Filtered:
    """What of the data may be shown: some columns of the rows that meet an SQL condition."""

    columns: tuple[str, ...]
    condition: str


@dataclass(frozen=True, slots=True)
class View:
    """A view's query, and the database that its bare names are of."""

    sql: str
    database: str


class Catalog:
    """The Glue catalog as one principal sees it; None is the account's administrator, who sees all."""

    def __init__(self, state: ServerState, principal_arn: str | None) -> None:
        self.state = state
        self.principal_arn = principal_arn
        self.glue = glue_backends[state.account_id][state.region]

    def databases(self) -> list[str]:
        return sorted(self.glue.databases)

    def tables(self, database: str) -> list[str]:
        found = self._database(database).tables
        return sorted(name for name, table in found.items() if self.visible_columns(database, table))

    def _database(self, name: str, position: str = "line 1:1") -> Any:
        if name not in self.glue.databases:
            raise QueryFailed(f"SCHEMA_NOT_FOUND: {position}: Schema '{name}' does not exist")
        return self.glue.databases[name]

    def table(self, database: str, name: str, position: str = "line 1:1") -> FakeTable:
        found = self._database(database, position).tables.get(name)
        if found is None:
            raise QueryFailed(
                f"TABLE_NOT_FOUND: {position}: Table '{DEFAULT_CATALOG}.{database}.{name}' does not exist"
            )
        if not self.visible_columns(database, found):
            raise QueryFailed(
                "Insufficient permissions to execute the query. Insufficient Lake Formation permission(s) "
                f"on {name}"
            )
        return found

    def visible_columns(self, database: str, table: FakeTable) -> list[dict[str, Any]]:
        """The catalog's columns, partition keys last, that the principal may SELECT."""
        described = table.as_dict()
        columns = [*described["StorageDescriptor"].get("Columns", []), *described.get("PartitionKeys", [])]
        granted = set(self._readable(database, table, columns).columns)
        return [column for column in columns if column["Name"] in granted]

    def _readable(
        self, database: str, table: FakeTable, columns: list[dict[str, Any]]
    ) -> lake_formation.Readable:
        names = tuple(column["Name"] for column in columns)
        if self.principal_arn is None:
            return lake_formation.Readable(names, None)
        return lake_formation.readable(self.principal_arn, database, table.name, names)

    def read(self, database: str, table: FakeTable, as_of: AsOf) -> Scanned:
        columns = self.visible_columns(database, table)
        visible = [column["Name"] for column in columns]
        condition = self._readable(database, table, columns).condition
        if is_iceberg(table):
            return self._read_iceberg(table, visible, condition, as_of)
        if condition is not None:
            raise QueryFailed("NOT_SUPPORTED: of a CSV table the offline AWS filters no rows")
        if as_of != AsOf():
            raise QueryFailed("NOT_SUPPORTED: only an Iceberg table can be read as of a time or version")
        serde = table.as_dict()["StorageDescriptor"].get("SerdeInfo", {}).get("SerializationLibrary")
        return self._read_json(table, visible) if serde == HIVE_JSON else self._read_csv(table, visible)

    def read_view(self, database: str, table: FakeTable, view: str, position: str) -> Scanned:
        """`table$snapshots` and the like. They show file statistics, so every cell must be granted."""
        if not is_iceberg(table) or view not in ICEBERG_VIEWS:
            raise QueryFailed(
                f"TABLE_NOT_FOUND: {position}: Table '{DEFAULT_CATALOG}.{database}.{table.name}${view}' "
                "does not exist"
            )
        columns = table.as_dict()["StorageDescriptor"]["Columns"]
        readable = self._readable(database, table, columns)
        if len(readable.columns) < len(columns) or readable.condition is not None:
            raise QueryFailed(
                "Insufficient permissions to execute the query. Insufficient Lake Formation permission(s) "
                f"on {table.name}${view}"
            )
        inspect = self._open_iceberg(table).inspect
        return Scanned(getattr(inspect, ICEBERG_VIEWS[view])(), 0, {})

    def _open_iceberg(self, table: FakeTable) -> StaticTable:
        from pyiceberg.table import StaticTable  # a second to import, which a server start must not wait for

        properties = {
            "s3.endpoint": self.state.endpoint,
            "s3.region": self.state.region,
            "s3.access-key-id": "offline",
            "s3.secret-access-key": "offline",
        }
        location = table.as_dict()["Parameters"]["metadata_location"]
        return StaticTable.from_metadata(location, properties)

    def _read_iceberg(
        self, table: FakeTable, visible: list[str], condition: str | None, as_of: AsOf
    ) -> Scanned:
        iceberg = self._open_iceberg(table)
        snapshot_id = as_of.snapshot_id
        if as_of.moment is not None:
            snapshot = iceberg.snapshot_as_of_timestamp(int(as_of.moment.timestamp() * 1000))
            if snapshot is None:
                raise QueryFailed("INVALID_ARGUMENTS: No version history table at or before the given time")
            snapshot_id = snapshot.snapshot_id
        elif snapshot_id is not None and iceberg.snapshot_by_id(snapshot_id) is None:
            raise QueryFailed(f"INVALID_ARGUMENTS: Iceberg snapshot ID does not exists: {snapshot_id}")
        # The schema may be ahead of the catalog's columns: what nobody was granted stays unseen.
        known = {field.name for field in iceberg.schema().fields}
        everything = tuple(field.name for field in iceberg.schema().fields)
        shown = everything if self.principal_arn is None else tuple(n for n in visible if n in known)
        selected = shown if condition is None else everything  # which may name a column that is not shown
        scan = iceberg.scan(selected_fields=selected, snapshot_id=snapshot_id)
        size = sum(task.file.file_size_in_bytes for task in scan.plan_files())
        data = scan.to_arrow().select(list(selected))
        return Scanned(data, size, {}, Filtered(shown, condition) if condition is not None else None)

    def _read_csv(self, table: FakeTable, visible: list[str]) -> Scanned:
        import pyarrow as pa

        described = table.as_dict()
        descriptor, keys = described["StorageDescriptor"], described.get("PartitionKeys", [])
        columns = descriptor.get("Columns", [])
        values: dict[str, list[str | None]] = {column["Name"]: [] for column in [*columns, *keys]}
        scanned_bytes = 0
        for location, key_values in _folders(table, descriptor, keys):
            for content in self._contents(location):
                scanned_bytes += len(content)
                for row in _csv_rows(content, descriptor, described.get("Parameters", {})):
                    for number, column in enumerate(columns):
                        values[column["Name"]].append(row[number] if number < len(row) else None)
                    for key, value in zip(keys, key_values, strict=True):
                        values[key["Name"]].append(value)
        data = pa.table({name: pa.array(values[name], pa.string()) for name in visible})
        types = {column["Name"]: column["Type"] for column in [*columns, *keys]}
        return Scanned(data, scanned_bytes, {name: duckdb_type(types[name]) for name in visible})

    def _read_json(self, table: FakeTable, visible: list[str]) -> Scanned:
        import pyarrow as pa

        described = table.as_dict()
        descriptor, keys = described["StorageDescriptor"], described.get("PartitionKeys", [])
        types = {column["Name"]: column["Type"] for column in [*descriptor["Columns"], *keys]}
        projection = Projection(
            described["Parameters"], [key["Name"] for key in keys], descriptor["Location"]
        )
        rows, scanned_bytes = [], 0
        for uri, content in self._objects(projection.folder):
            if (partition := projection.values_of(uri)) is not None:
                scanned_bytes += len(content)
                of_keys = dict(zip(projection.keys, partition, strict=True))
                rows += [row | of_keys for row in json_rows(content)]
        columns = {name: to_arrow([row.get(name) for row in rows], types[name]) for name in visible}
        return Scanned(pa.table(columns), scanned_bytes, {})

    def _contents(self, location: str) -> Iterator[bytes]:
        return (content for _, content in self._objects(location))

    def _objects(self, location: str) -> Iterator[tuple[str, bytes]]:
        """URIs and contents; Hive takes names that begin with _ or . for hidden ones."""
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        store = s3_backends[self.state.account_id][PARTITION]
        keys, *_ = store.list_objects(store.get_bucket(bucket), prefix or None, None, None, None)
        for key in keys:
            if not key.name.rsplit("/", 1)[-1].startswith(("_", ".")):
                yield f"s3://{bucket}/{key.name}", key.value


def view_of(table: FakeTable) -> View | None:
    """The query of an Athena view, which the catalog keeps as Presto encodes it; None of any other table.

    Encoding: https://docs.aws.amazon.com/athena/latest/ug/views-glue.html
    """
    described = table.as_dict()
    text = described.get("ViewOriginalText") or ""
    if described.get("TableType") != "VIRTUAL_VIEW" or not text.startswith("/* Presto View: "):
        return None
    body = json.loads(base64.b64decode(text.removeprefix("/* Presto View: ").removesuffix(" */")))
    return View(body["originalSql"], body["schema"])


def is_iceberg(table: FakeTable) -> bool:
    return table.as_dict().get("Parameters", {}).get("table_type", "").upper() == "ICEBERG"


def _folders(
    table: FakeTable, descriptor: dict[str, Any], keys: list[dict[str, Any]]
) -> Iterator[tuple[str, list[str]]]:
    if not keys:
        yield descriptor["Location"], []
        return
    for partition in table.partitions.values():
        described = partition.as_dict()
        yield described["StorageDescriptor"]["Location"], described["Values"]


def _csv_rows(
    content: bytes, descriptor: dict[str, Any], parameters: dict[str, str]
) -> Iterator[list[str | None]]:
    """As the SerDe reads them: only OpenCSVSerde knows quotes; LazySimpleSerDe's null is `\\N`."""
    serde = descriptor.get("SerdeInfo", {})
    settings = serde.get("Parameters", {})
    text = content.decode("utf-8-sig", errors="replace")
    if serde.get("SerializationLibrary") == OPEN_CSV:
        delimiter, quote = settings.get("separatorChar", ","), settings.get("quoteChar", '"')
        rows: Iterator[list[str | None]] = csv.reader(io.StringIO(text), delimiter=delimiter, quotechar=quote)
    else:
        delimiter = settings.get("field.delim", "\x01")
        lines = text.split("\n")
        rows = (
            [None if value == "\\N" else value for value in line.removesuffix("\r").split(delimiter)]
            for line in (lines[:-1] if lines and not lines[-1] else lines)
        )
    skipped = int(settings.get("skip.header.line.count") or parameters.get("skip.header.line.count") or 0)
    for number, row in enumerate(rows):
        if number >= skipped:
            yield row


HIVE_TO_DUCKDB = {
    "int": "INTEGER",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}


def duckdb_type(hive_type: str) -> str:
    if hive_type.startswith("decimal"):
        return hive_type.upper()
    return HIVE_TO_DUCKDB.get(hive_type, "VARCHAR")
