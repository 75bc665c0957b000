"""The permissions that a new database or table starts with, and the end of grants on what is dropped."""

from __future__ import annotations

from typing import Any

from moto.glue.models import GlueBackend
from moto.lakeformation.models import LakeFormationBackend, lakeformation_backends

from scripts.offline_aws.lake_formation_grants import LOCK, Key, grants_of


def apply_default_permissions() -> None:
    """A database takes its tables' defaults from the data lake settings, unless it names its own."""
    create_database, create_table = GlueBackend.create_database, GlueBackend.create_table
    delete_database, delete_table = GlueBackend.delete_database, GlueBackend.delete_table

    def backend_of(glue: GlueBackend) -> LakeFormationBackend:
        return lakeformation_backends[glue.account_id][glue.region_name]

    def grant_defaults(glue: GlueBackend, key: Key, defaults: list[dict[str, Any]]) -> None:
        with LOCK:
            for default in defaults:
                principal = (default.get("Principal") or {}).get("DataLakePrincipalIdentifier")
                if principal:
                    permissions = default.get("Permissions") or ()
                    grants_of(backend_of(glue), glue.account_id).add(principal, key, permissions, ())

    def create_database_with_defaults(
        self: GlueBackend, database_name: str, database_input: dict[str, Any], tags: Any = None
    ) -> Any:
        settings = backend_of(self).settings[self.account_id]
        if database_input.get("CreateTableDefaultPermissions") is None:
            defaults = settings.get("CreateTableDefaultPermissions") or []
            database_input = {**database_input, "CreateTableDefaultPermissions": defaults}
        database = create_database(self, database_name, database_input, tags)
        key = Key("Database", database_name)
        grant_defaults(self, key, settings.get("CreateDatabaseDefaultPermissions") or [])
        return database

    def create_table_with_defaults(self: GlueBackend, database_name: str, table_name: str, *rest: Any) -> Any:
        table = create_table(self, database_name, table_name, *rest)
        defaults = self.get_database(database_name).input.get("CreateTableDefaultPermissions") or []
        grant_defaults(self, Key("Table", database_name, table_name), defaults)
        return table

    def delete_database_and_grants(self: GlueBackend, database_name: str) -> None:
        delete_database(self, database_name)
        with LOCK:
            grants_of(backend_of(self), self.account_id).forget(database_name)

    def delete_table_and_grants(self: GlueBackend, database_name: str, table_name: str) -> None:
        delete_table(self, database_name, table_name)
        with LOCK:
            grants_of(backend_of(self), self.account_id).forget(database_name, table_name)

    GlueBackend.create_database = create_database_with_defaults
    GlueBackend.create_table = create_table_with_defaults
    GlueBackend.delete_database = delete_database_and_grants
    GlueBackend.delete_table = delete_table_and_grants
