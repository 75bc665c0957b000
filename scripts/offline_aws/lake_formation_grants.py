"""What is granted in a catalog: the keys that permissions are kept on, and how AWS writes them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from moto.lakeformation.exceptions import InvalidInput
from moto.lakeformation.models import LakeFormationBackend

ALL_TABLES = "ALL_TABLES"
IAM_ALLOWED_PRINCIPALS = "IAM_ALLOWED_PRINCIPALS"
TABLE_KINDS = ("Table", "TableWithColumns")

LOCK = threading.RLock()
"""Held while grants are read or changed: the server answers each request in a thread of its own."""


class Key(NamedTuple):
    """A resource that permissions are kept on.

    `kind` is the name in the API's Resource structure. SELECT on a table is kept on TableWithColumns:
    on one `column` each, or on every column but those in `excluded`.
    """

    kind: str
    database: str = ""
    table: str = ""
    column: str = ""
    excluded: frozenset[str] = frozenset()
    other: str = ""
    """An ARN, a filter's name, or the JSON of an LF-tag resource."""


@dataclass(slots=True)
class Held:
    permissions: set[str] = field(default_factory=set)
    grantable: set[str] = field(default_factory=set)


class Grants(dict[tuple[str, Key], Held]):
    """What each principal holds on each resource of one catalog."""

    def add(self, principal: str, key: Key, permissions: Iterable[str], grantable: Iterable[str]) -> None:
        held = self.setdefault((principal, key), Held())
        held.permissions |= {*permissions, *grantable}
        held.grantable |= set(grantable)

    def missing(self, principal: str, key: Key, permissions: Iterable[str]) -> set[str]:
        held = self.get((principal, key))
        return set(permissions) - (held.permissions if held else set())

    def take(self, principal: str, key: Key, permissions: Iterable[str], grantable: Iterable[str]) -> None:
        held = self.get((principal, key))
        if held is None:
            return
        held.permissions -= set(permissions)
        held.grantable -= {*permissions, *grantable}
        if not held.permissions:
            del self[principal, key]

    def forget(self, database: str, table: str | None = None) -> None:
        """Drop what was granted on a table, or on a database and all in it."""
        for principal, key in list(self):
            if key.database == database and table in (None, key.table):
                del self[principal, key]


def grants_of(backend: LakeFormationBackend, catalog_id: str) -> Grants:
    return backend.grants.setdefault(catalog_id, Grants())


def keys_of(
    resource: dict[str, Any], permissions: Iterable[str], grantable: Iterable[str]
) -> Iterator[tuple[Key, set[str], set[str]]]:
    """The resource as it is kept: SELECT on a table goes to its columns, all else to the table."""
    permissions, grantable = set(permissions), set(grantable)
    if "Table" in resource or "TableWithColumns" in resource:
        table = resource.get("Table") or resource["TableWithColumns"]
        database = table["DatabaseName"]
        name = ALL_TABLES if "TableWildcard" in table else table["Name"]
        columns = table.get("ColumnNames")
        if columns and permissions | grantable != {"SELECT"}:
            raise InvalidInput("Permissions modification is invalid: only SELECT can be granted on columns")
        for column in columns or ():
            yield Key("TableWithColumns", database, name, column=column), permissions, grantable
        if columns:
            return
        if "SELECT" in permissions | grantable:
            excluded = frozenset((table.get("ColumnWildcard") or {}).get("ExcludedColumnNames") or ())
            key = Key("TableWithColumns", database, name, excluded=excluded)
            yield key, permissions & {"SELECT"}, grantable & {"SELECT"}
        if (permissions | grantable) - {"SELECT"}:
            yield Key("Table", database, name), permissions - {"SELECT"}, grantable - {"SELECT"}
        return
    if "Database" in resource:
        key = Key("Database", resource["Database"]["Name"])
    elif "DataLocation" in resource:
        key = Key("DataLocation", other=resource["DataLocation"]["ResourceArn"])
    elif "DataCellsFilter" in resource:
        cells = resource["DataCellsFilter"]
        key = Key("DataCellsFilter", cells["DatabaseName"], cells["TableName"], other=cells["Name"])
    elif "Catalog" in resource:
        key = Key("Catalog")
    else:
        kind, value = next(iter(resource.items()))
        key = Key(kind, other=json.dumps(value, sort_keys=True))
    yield key, permissions, grantable


def resource_type(key: Key) -> str:
    names = {"Catalog": "CATALOG", "Database": "DATABASE", "DataLocation": "DATA_LOCATION"}
    return "TABLE" if key.kind in TABLE_KINDS else names.get(key.kind, key.kind)


def external_form(key: Key, catalog_id: str) -> dict[str, Any]:
    if key.kind in TABLE_KINDS:
        table: dict[str, Any] = {"CatalogId": catalog_id, "DatabaseName": key.database, "Name": key.table}
        if key.kind == "TableWithColumns" and not key.column:
            table["ColumnWildcard"] = {"ExcludedColumnNames": sorted(key.excluded)} if key.excluded else {}
        if key.kind == "Table" and key.table == ALL_TABLES:
            table["TableWildcard"] = {}
        return {key.kind: table}
    forms = {
        "Catalog": {},
        "Database": {"CatalogId": catalog_id, "Name": key.database},
        "DataLocation": {"CatalogId": catalog_id, "ResourceArn": key.other},
        "DataCellsFilter": {
            "TableCatalogId": catalog_id,
            "DatabaseName": key.database,
            "TableName": key.table,
            "Name": key.other,
        },
    }
    return {key.kind: forms[key.kind] if key.kind in forms else json.loads(key.other)}
