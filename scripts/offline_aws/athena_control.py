"""Athena's control plane: work groups and named queries can be changed, and missing ones are missed."""

from __future__ import annotations

import json
from typing import Any

from moto.athena.models import AthenaBackend, WorkGroup
from moto.athena.responses import AthenaResponse
from moto.core.exceptions import JsonRESTError
from moto.core.utils import unix_time

from scripts.offline_aws.state import ServerState

RESULT_FIELDS = ("OutputLocation", "EncryptionConfiguration", "ExpectedBucketOwner", "AclConfiguration")


class InvalidRequestException(JsonRESTError):
    def __init__(self, message: str) -> None:
        super().__init__("InvalidRequestException", message)


def install(_: ServerState) -> None:
    AthenaResponse.get_work_group = _get_work_group
    AthenaResponse.update_work_group = _update_work_group
    AthenaResponse.get_named_query = _get_named_query
    AthenaResponse.update_named_query = _update_named_query
    AthenaResponse.delete_named_query = _delete_named_query
    AthenaBackend.delete_work_group = _delete_work_group


def _work_group(backend: AthenaBackend, name: str) -> WorkGroup:
    try:
        return backend.work_groups[name]
    except KeyError:
        raise InvalidRequestException(f"WorkGroup {name} is not found.") from None


def _get_work_group(self: AthenaResponse) -> str:
    group = _work_group(self.athena_backend, self._get_param("WorkGroup"))
    if not hasattr(group, "created_at"):
        group.created_at = unix_time()
    return json.dumps(
        {
            "WorkGroup": {
                "Name": group.name,
                "State": group.state,
                "Configuration": group.configuration,
                "Description": group.description,
                "CreationTime": group.created_at,
            }
        }
    )


def _update_work_group(self: AthenaResponse) -> str:
    """UpdateWorkGroup changes what is given; `Remove…` fields of ResultConfigurationUpdates take away."""
    group = _work_group(self.athena_backend, self._get_param("WorkGroup"))
    group.description = self._get_param("Description", group.description)
    group.state = self._get_param("State", group.state)
    updates: dict[str, Any] = dict(self._get_param("ConfigurationUpdates") or {})
    result_updates = updates.pop("ResultConfigurationUpdates", {})
    if updates.pop("RemoveBytesScannedCutoffPerQuery", False):
        group.configuration.pop("BytesScannedCutoffPerQuery", None)
    result = dict(group.configuration.get("ResultConfiguration") or {})
    for field in RESULT_FIELDS:
        if result_updates.get(f"Remove{field}"):
            result.pop(field, None)
        elif field in result_updates:
            result[field] = result_updates[field]
    group.configuration = {**group.configuration, **updates}
    if result or "ResultConfiguration" in group.configuration:
        group.configuration["ResultConfiguration"] = result
    return "{}"


def _delete_work_group(self: AthenaBackend, name: str) -> None:
    group = _work_group(self, name)
    for query in [query for query in self.named_queries.values() if query.workgroup is group]:
        del self.named_queries[query.id]
    del self.work_groups[name]


def _stored_query(self: AthenaResponse) -> Any:
    identifier = self._get_param("NamedQueryId")
    query = self.athena_backend.get_named_query(identifier)
    if query is None:
        raise InvalidRequestException(f"NamedQuery {identifier} is not found.")
    return query


def _get_named_query(self: AthenaResponse) -> str:
    query = _stored_query(self)
    described = {
        "Name": query.name,
        "Description": query.description,
        "Database": query.database,
        "QueryString": query.query_string,
        "NamedQueryId": query.id,
        "WorkGroup": query.workgroup.name,
    }
    return json.dumps({"NamedQuery": described})


def _update_named_query(self: AthenaResponse) -> str:
    query = _stored_query(self)
    query.name = self._get_param("Name")
    query.query_string = self._get_param("QueryString")
    query.description = self._get_param("Description", query.description)
    return "{}"


def _delete_named_query(self: AthenaResponse) -> str:
    del self.athena_backend.named_queries[_stored_query(self).id]
    return "{}"
