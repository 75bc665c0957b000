"""Glue's Data Catalog: optimistic locking, and the first metadata file of an Iceberg table.

moto ignores `VersionId`, so two writers that committed at once would both be told they succeeded; and it
keeps nothing of `OpenTableFormatInput` but a parameter, so no engine could open the table.
"""

from __future__ import annotations

import re
import threading
import uuid
from typing import Any
from urllib.parse import urlsplit

from moto.core.responses import EmptyResult
from moto.glue.exceptions import GlueClientError, InvalidInputException, TableAlreadyExistsException
from moto.glue.models import GlueBackend
from moto.glue.responses import GlueResponse
from moto.s3.exceptions import MissingBucket
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from scripts.offline_aws.state import ServerState

CATALOG_LOCK = threading.RLock()
"""Held while a table is compared and changed: the server answers each request in a thread of its own."""

ICEBERG_FORMAT_VERSIONS = (1, 2)


class ConcurrentModificationException(GlueClientError):
    def __init__(self, message: str) -> None:
        super().__init__("ConcurrentModificationException", message)


_moto_create_table = GlueBackend.create_table  # moto's own, however often ours is installed


def install(_: ServerState) -> None:
    GlueResponse.update_table = _update_table
    GlueBackend.create_table = _create_table


def _create_table(
    self: GlueBackend,
    database_name: str,
    table_name: str,
    table_input: dict[str, Any],
    open_table_format_input: dict[str, Any] | None = None,
) -> Any:
    with CATALOG_LOCK:
        iceberg_input = (open_table_format_input or {}).get("IcebergInput")
        if iceberg_input:
            if table_name in self.get_database(database_name).tables:
                raise TableAlreadyExistsException()
            table_input = _with_first_metadata(self, table_input, iceberg_input)
        return _moto_create_table(self, database_name, table_name, table_input, open_table_format_input)


def _update_table(self: GlueResponse) -> EmptyResult:
    """UpdateTable fails when `VersionId` is given and is not the table's current version.

    `SkipArchive` (in the API reference, "a Boolean value that indicates whether to create an archived
    version of the table before updating it") drops the version that is replaced.
    """
    request = self.parameters
    table_input = request["TableInput"]
    with CATALOG_LOCK:
        table = self.glue_backend.get_table(request["DatabaseName"], table_input["Name"])
        current = str(table._current_version)
        expected = request.get("VersionId")
        if expected is not None and str(expected) != current:
            raise ConcurrentModificationException(
                f"Update table failed due to concurrent modifications: version {expected} was expected, "
                f"{current} is the table's."
            )
        table.update(table_input)
        if request.get("SkipArchive"):
            table.versions.pop(current, None)
    return EmptyResult()


def _with_first_metadata(
    backend: GlueBackend, table_input: dict[str, Any], iceberg_input: dict[str, Any]
) -> dict[str, Any]:
    """Write `<location>/metadata/00000-….metadata.json`, and answer the table's input as Glue keeps it.

    The columns get the parameters by which Iceberg finds its fields in the catalog.
    """
    # PyIceberg takes about a second to import, and few requests need it.
    from pyiceberg.exceptions import ValidationError
    from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
    from pyiceberg.schema import Schema
    from pyiceberg.table.metadata import new_table_metadata
    from pyiceberg.table.sorting import UNSORTED_SORT_ORDER
    from pyiceberg.types import NestedField

    if iceberg_input.get("MetadataOperation") != "CREATE":
        raise InvalidInputException("CreateTable", "MetadataOperation of IcebergInput must be CREATE")
    version = int(iceberg_input.get("Version", "2"))
    if version not in ICEBERG_FORMAT_VERSIONS:
        raise InvalidInputException("CreateTable", f"Iceberg table version {version} is not supported")
    if table_input.get("PartitionKeys"):
        raise InvalidInputException("CreateTable", "PartitionKeys of an Iceberg table are not emulated")
    descriptor = table_input.get("StorageDescriptor") or {}
    location = (descriptor.get("Location") or "").rstrip("/")
    if not location.startswith("s3://"):
        raise InvalidInputException("CreateTable", "An Iceberg table needs an S3 location")

    columns = descriptor.get("Columns") or []
    ids = iter(range(len(columns) + 1, 10_000))  # fields come first, then what is nested in them
    try:
        schema = Schema(
            *(
                NestedField(
                    number,
                    column["Name"],
                    iceberg_type(column["Type"], ids),
                    required=False,
                    doc=column.get("Comment"),
                )
                for number, column in enumerate(columns, start=1)
            )
        )
        metadata = new_table_metadata(
            schema,
            UNPARTITIONED_PARTITION_SPEC,
            UNSORTED_SORT_ORDER,
            location,
            {"format-version": str(version)},
        )
    except (ValueError, ValidationError) as error:
        raise InvalidInputException("CreateTable", str(error)) from error

    metadata_location = f"{location}/metadata/00000-{uuid.uuid4()}.metadata.json"
    _put_object(backend, metadata_location, metadata.model_dump_json().encode())
    return {
        **table_input,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {
            **(table_input.get("Parameters") or {}),
            "table_type": "ICEBERG",
            "metadata_location": metadata_location,
        },
        "StorageDescriptor": {
            **descriptor,
            "Columns": [
                {
                    **column,
                    "Parameters": {
                        **(column.get("Parameters") or {}),
                        "iceberg.field.current": "true",
                        "iceberg.field.id": str(number),
                        "iceberg.field.optional": "true",
                    },
                }
                for number, column in enumerate(columns, start=1)
            ],
        },
    }


def iceberg_type(hive_type: str, nested_ids: Any) -> Any:
    """The Iceberg type of a Glue column type, as Athena's documentation maps them.

    Raises ValueError for a type that Iceberg tables cannot have, or that is not emulated (map, struct).
    """
    from pyiceberg import types

    plain = {
        "string": types.StringType,
        "boolean": types.BooleanType,
        "int": types.IntegerType,
        "integer": types.IntegerType,
        "bigint": types.LongType,
        "long": types.LongType,
        "float": types.FloatType,
        "double": types.DoubleType,
        "date": types.DateType,
        "timestamp": types.TimestampType,
        "timestamptz": types.TimestamptzType,
        "binary": types.BinaryType,
    }
    name = hive_type.strip().lower()
    if name in plain:
        return plain[name]()
    if decimal := re.fullmatch(r"decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)", name):
        return types.DecimalType(int(decimal[1]), int(decimal[2]))
    if array := re.fullmatch(r"array<(.+)>", name):
        element_id = next(nested_ids)
        return types.ListType(element_id, iceberg_type(array[1], nested_ids), element_required=False)
    raise ValueError(f"Type {hive_type} is not supported for an Iceberg table")


def _put_object(backend: GlueBackend, uri: str, body: bytes) -> None:
    place = urlsplit(uri)
    store = s3_backends[backend.account_id][get_partition(backend.region_name)]
    try:
        store.put_object(place.netloc, place.path.lstrip("/"), body)
    except MissingBucket as error:
        raise InvalidInputException("CreateTable", f"The bucket {place.netloc} does not exist") from error
