"""What a grant may name: principals, databases, tables and columns that exist."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.glue.models import glue_backends
from moto.iam.models import iam_backends
from moto.lakeformation.exceptions import InvalidInput
from moto.lakeformation.models import LakeFormationBackend
from moto.utilities.utils import get_partition

from scripts.offline_aws.lake_formation_grants import ALL_TABLES


class EntityNotFound(JsonRESTError):
    def __init__(self, message: str) -> None:
        super().__init__("EntityNotFoundException", message)


def check_principal(backend: LakeFormationBackend, principal: str) -> None:
    parts = principal.split(":")
    if len(parts) != 6 or parts[2] != "iam":
        return  # IAM_ALLOWED_PRINCIPALS, an account, an organisation
    kind = parts[5].partition("/")[0]
    iam = iam_backends[backend.account_id][get_partition(backend.region_name)]
    known = {"role": iam.roles.values(), "user": iam.users.values()}.get(kind)
    if known is not None and principal not in {entity.arn for entity in known}:
        raise InvalidInput(f"Invalid principal, {principal}")


def check_resource(backend: LakeFormationBackend, resource: dict[str, Any]) -> None:
    databases = glue_backends[backend.account_id][backend.region_name].databases
    named = resource.get("Table") or resource.get("TableWithColumns")
    database_name = named["DatabaseName"] if named else resource.get("Database", {}).get("Name")
    if database_name is None:
        return
    if database_name not in databases:
        raise EntityNotFound(f"Database not found: {database_name}")
    if not named or "TableWildcard" in named or named.get("Name") == ALL_TABLES:
        return
    table = databases[database_name].tables.get(named["Name"])
    if table is None:
        raise EntityNotFound(f"Table not found: {database_name}.{named['Name']}")
    described = table.as_dict()
    known = {
        column["Name"]
        for column in (
            *described.get("StorageDescriptor", {}).get("Columns", ()),
            *(described.get("PartitionKeys") or ()),
        )
    }
    wildcard = named.get("ColumnWildcard") or {}
    asked = {*(named.get("ColumnNames") or ()), *(wildcard.get("ExcludedColumnNames") or ())}
    if unknown := asked - known:
        raise InvalidInput(
            f"cannot grant/revoke permission on non-existent column: {', '.join(sorted(unknown))}"
        )
