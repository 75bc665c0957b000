"""Lake Formation: grants as AWS keeps and lists them, and the columns they let a principal read.

What moto has wrong, and what is here instead:
- SELECT on a table is listed apart from the table's other permissions, as TableWithColumns with a wildcard;
- a grant on named columns is kept per column, so that grants add up and revokes take away;
- a revoke of what nobody holds is refused, which the Terraform provider waits for;
- databases and tables get the account's default permissions when they are created, so that forgetting to
  take IAMAllowedPrincipals out of the data lake settings opens every table here too;
- grants on things that do not exist are refused, and dropping a table drops its grants.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from moto.core.utils import unix_time
from moto.iam.models import iam_backends
from moto.lakeformation.exceptions import InvalidInput
from moto.lakeformation.models import LakeFormationBackend, Resource, lakeformation_backends
from moto.lakeformation.responses import LakeFormationResponse

from scripts.offline_aws.lake_formation_checks import check_principal, check_resource
from scripts.offline_aws.lake_formation_defaults import apply_default_permissions
from scripts.offline_aws.lake_formation_filters import (
    columns_of_filter,
    condition_of_filter,
    filters_of,
    serve_data_cells_filters,
)
from scripts.offline_aws.lake_formation_grants import (
    ALL_TABLES,
    IAM_ALLOWED_PRINCIPALS,
    LOCK,
    TABLE_KINDS,
    Held,
    Key,
    external_form,
    grants_of,
    keys_of,
    resource_type,
)
from scripts.offline_aws.state import ServerState

_state: ServerState | None = None


def install(state: ServerState) -> None:
    global _state
    _state = state
    LakeFormationBackend.grant_permissions = _grant_permissions
    LakeFormationBackend.revoke_permissions = _revoke_permissions
    LakeFormationBackend.remove_lf_tags_from_resource = _remove_lf_tags
    LakeFormationResponse.list_permissions = _list_permissions
    _keep_dropped_resource_fields()
    serve_data_cells_filters()
    apply_default_permissions()


@dataclass(frozen=True, slots=True)
class Readable:
    """What a principal may SELECT of a table: columns in their order, of rows that meet the condition."""

    columns: tuple[str, ...]
    condition: str | None


def readable(principal_arn: str, database: str, table: str, all_columns: Sequence[str]) -> Readable:
    """A role session counts as its role. Grants through IAMAllowedPrincipals count, as Lake Formation then
    leaves the decision to IAM. LF-tag expressions and the implicit permissions of a table's creator are not
    emulated; nor are cells: of several data cells filters, columns and rows add up, each by itself, and a
    grant without a filter opens all rows.
    """
    assert _state is not None, "install() comes first"
    backend = lakeformation_backends[_state.account_id][_state.region]
    holders = {_role_of_session(principal_arn), IAM_ALLOWED_PRINCIPALS, f"{_state.account_id}:IAMPrincipals"}
    granted: set[str] = set()
    conditions: list[str | None] = []
    with LOCK:
        for (principal, key), held in grants_of(backend, _state.account_id).items():
            if principal not in holders or key.database != database:
                continue
            if key.kind in TABLE_KINDS and key.table in (table, ALL_TABLES):
                if held.permissions & {"SELECT", "ALL"}:
                    granted |= {key.column} if key.column else set(all_columns) - key.excluded
                    conditions.append(None)
            elif key.kind == "DataCellsFilter" and key.table == table and "SELECT" in held.permissions:
                cells = filters_of(backend).get((database, table, key.other), {})
                granted |= columns_of_filter(cells, all_columns)
                conditions.append(condition_of_filter(cells))
    met = [f"({condition})" for condition in conditions if condition is not None]
    return Readable(
        tuple(column for column in all_columns if column in granted),
        " OR ".join(met) if len(met) == len(conditions) and met else None,
    )


def may(principal_arn: str, permission: str, database: str) -> bool:
    """Whether a principal holds a permission on a database, by itself or through IAMAllowedPrincipals."""
    assert _state is not None, "install() comes first"
    backend = lakeformation_backends[_state.account_id][_state.region]
    holders = (_role_of_session(principal_arn), IAM_ALLOWED_PRINCIPALS)
    with LOCK:
        grants = grants_of(backend, _state.account_id)
        held = [grants.get((holder, Key("Database", database)), Held()) for holder in holders]
    return any(entry.permissions & {permission, "ALL"} for entry in held)


def _role_of_session(principal_arn: str) -> str:
    """arn:aws:sts::…:assumed-role/NAME/SESSION → the ARN of the role, which may have a path."""
    parts = principal_arn.split(":")
    if parts[2] != "sts" or not parts[5].startswith("assumed-role/"):
        return principal_arn
    name = parts[5].split("/")[1]
    roles = iam_backends[parts[4]][parts[1]].roles.values()
    return next((role.arn for role in roles if role.name == name), principal_arn)


def _grant_permissions(
    self: LakeFormationBackend,
    catalog_id: str,
    principal: dict[str, str],
    resource: dict[str, Any],
    permissions: list[str] | None,
    permissions_with_grant_options: list[str] | None,
) -> None:
    who = principal["DataLakePrincipalIdentifier"]
    check_principal(self, who)
    check_resource(self, resource)
    with LOCK:
        for key, these, grantable in keys_of(
            resource, permissions or (), permissions_with_grant_options or ()
        ):
            grants_of(self, catalog_id).add(who, key, these, grantable)


def _revoke_permissions(
    self: LakeFormationBackend,
    catalog_id: str,
    principal: dict[str, str],
    resource: dict[str, Any],
    permissions_to_revoke: list[str] | None,
    permissions_with_grant_options_to_revoke: list[str] | None,
) -> None:
    who = principal["DataLakePrincipalIdentifier"]
    parts = list(
        keys_of(resource, permissions_to_revoke or (), permissions_with_grant_options_to_revoke or ())
    )
    with LOCK:
        grants = grants_of(self, catalog_id)
        missing = {m for key, these, grantable in parts for m in grants.missing(who, key, these | grantable)}
        asked = {p for _, these, grantable in parts for p in these | grantable}
        if not any((who, key) in grants for key, _, _ in parts):
            raise InvalidInput(
                "No permissions revoked. Grantee has no permissions and grant options on resource"
            )
        if missing == asked:
            raise InvalidInput(f"No permissions revoked. Grantee does not have:{sorted(missing)}")
        for key, these, grantable in parts:
            grants.take(who, key, these, grantable)


def _remove_lf_tags(
    self: LakeFormationBackend, catalog_id: str, resource: dict[str, Any], tags: list[dict[str, str]]
) -> None:
    """A tag that is gone already is no error, so that a request whose answer was lost can come again."""
    with LOCK:
        for attached in _attached_lf_tags(self, resource):
            attached[:] = [tag for tag in attached if not any(_is_same_tag(tag, gone) for gone in tags)]


def _attached_lf_tags(self: LakeFormationBackend, resource: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    if database := resource.get("Database"):
        yield self.lf_database_tags[(database.get("CatalogId", self.account_id), database["Name"])]
    if table := resource.get("Table") or resource.get("TableWithColumns"):
        key = (table.get("CatalogId", self.account_id), table["DatabaseName"], table["Name"])
        if "Table" in resource:
            yield self.lf_table_tags[key]
        for column in table.get("ColumnNames", ()):
            yield self.lf_columns_tags[(*key, column)]


def _is_same_tag(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (one["TagKey"], one["TagValues"]) == (other["TagKey"], other["TagValues"])


def _list_permissions(self: LakeFormationResponse) -> str:
    """ListPermissions: a table is named by Table only, and its column grants are listed with it."""
    catalog_id = self._get_param("CatalogId") or self.current_account
    principal = (self._get_param("Principal") or {}).get("DataLakePrincipalIdentifier")
    resource = self._get_param("Resource")
    kind = self._get_param("ResourceType")
    if principal and not resource:
        raise InvalidInput("Resource is mandatory if Principal is set in the input.")
    listed: dict[tuple, dict[str, Any]] = {}
    with LOCK:
        for (who, key), held in grants_of(self.lakeformation_backend, catalog_id).items():
            if principal not in (None, who):
                continue
            if resource and not _is_asked_for(key, resource):
                continue
            if kind and kind != resource_type(key):
                continue
            # Columns that are held alike come back as one entry.
            held_alike = (*sorted(held.permissions), "/", *sorted(held.grantable))
            group = (who, key._replace(column=""), bool(key.column), held_alike)
            entry = listed.setdefault(
                group,
                {
                    "Principal": {"DataLakePrincipalIdentifier": who},
                    "Resource": external_form(key, catalog_id),
                    "Permissions": sorted(held.permissions),
                    "PermissionsWithGrantOption": sorted(held.grantable),
                },
            )
            if key.column:
                entry["Resource"]["TableWithColumns"].setdefault("ColumnNames", []).append(key.column)
    return json.dumps({"PrincipalResourcePermissions": list(listed.values())})


def _is_asked_for(key: Key, resource: dict[str, Any]) -> bool:
    if "Table" in resource:
        table = resource["Table"]
        name = ALL_TABLES if "TableWildcard" in table else table.get("Name")
        return key.kind in TABLE_KINDS and (key.database, key.table) == (table["DatabaseName"], name)
    return any(key == asked for asked, _, _ in keys_of(resource, ("SELECT",), ()))


def _keep_dropped_resource_fields() -> None:
    """RegisterResource's options, which moto drops and Terraform reads back."""
    register_resource, to_dict = LakeFormationResponse.register_resource, Resource.to_dict

    def register_and_keep(self: LakeFormationResponse) -> str:
        answer = register_resource(self)
        resource = self.lakeformation_backend.resources[self._get_param("ResourceArn")]
        if self._get_param("UseServiceLinkedRole"):
            resource.role_arn = (
                f"arn:{self.partition}:iam::{self.current_account}:role/aws-service-role/"
                "lakeformation.amazonaws.com/AWSServiceRoleForLakeFormationDataAccess"
            )
        resource.options = {
            "HybridAccessEnabled": bool(self._get_param("HybridAccessEnabled")),
            "WithFederation": bool(self._get_param("WithFederation")),
            "LastModified": unix_time(),
        }
        return answer

    def to_dict_with_kept(self: Resource) -> dict[str, Any]:
        return {**to_dict(self), **getattr(self, "options", {})}

    LakeFormationResponse.register_resource = register_and_keep
    Resource.to_dict = to_dict_with_kept
