"""Athena's query operations: start, describe, page through and stop queries that run."""

from __future__ import annotations

import json
from typing import Any

from moto.athena.models import AthenaBackend, WorkGroup
from moto.athena.responses import AthenaResponse
from moto.iam.models import iam_backends

from scripts.offline_aws.athena_control import InvalidRequestException
from scripts.offline_aws.athena_engine import Engine, Query
from scripts.offline_aws.athena_results import Result
from scripts.offline_aws.execution import PARTITION
from scripts.offline_aws.state import ServerState

MAX_RESULT_ROWS = 1000


def role_of(account_id: str, access_key: str) -> str | None:
    """The role whose temporary credentials these are; None for any others, which count as administrator."""
    key = iam_backends[account_id][PARTITION].access_keys.get(access_key)
    return key.role_arn if key else None


def install(state: ServerState) -> None:
    engine = Engine(state)

    def start_query_execution(self: AthenaResponse) -> str:
        backend = self.athena_backend
        name = self._get_param("WorkGroup") or "primary"
        group = backend.work_groups.get(name)
        if group is None:
            raise InvalidRequestException(f"WorkGroup {name} is not found.")
        configuration = _result_configuration(group, self._get_param("ResultConfiguration") or {})
        location = configuration.get("OutputLocation")
        if not location:
            raise InvalidRequestException(
                "No output location provided. An output location is required either through the Workgroup "
                "result configuration setting or as an API input."
            )
        query = Query(
            sql=self._get_param("QueryString"),
            context=self._get_param("QueryExecutionContext") or {},
            output_location=location,
            result_configuration=configuration,
            workgroup=group,
            execution_parameters=self._get_param("ExecutionParameters"),
            principal_arn=role_of(self.current_account, self.access_key),
        )
        query.output_location = f"{location.rstrip('/')}/{query.id}.csv"
        backend.executions[query.id] = query  # type: ignore[assignment]
        engine.start(query)
        return json.dumps({"QueryExecutionId": query.id})

    def get_query_execution(self: AthenaResponse) -> str:
        return json.dumps({"QueryExecution": _query(self).as_dict()})

    def batch_get_query_execution(self: AthenaResponse) -> str:
        asked = self._get_param("QueryExecutionIds")
        executions = self.athena_backend.executions
        missing = [
            {"QueryExecutionId": i, "ErrorCode": "INVALID_INPUT"} for i in asked if i not in executions
        ]
        found = [executions[i].as_dict() for i in asked if i in executions]
        return json.dumps({"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing})

    def get_query_results(self: AthenaResponse) -> str:
        query = _query(self)
        if query.status in ("QUEUED", "RUNNING"):
            raise InvalidRequestException(f"Query has not yet finished. Current state: {query.status}")
        if query.result is None:
            raise InvalidRequestException(
                f"Query did not finish successfully. Final query state: {query.status}"
            )
        return json.dumps(
            _page(
                query.result, self._get_param("NextToken"), self._get_param("MaxResults") or MAX_RESULT_ROWS
            )
        )

    def stop_query_execution(self: AthenaBackend, exec_id: str) -> None:
        query: Query = self.executions[exec_id]  # type: ignore[assignment]
        if query.status in ("QUEUED", "RUNNING"):
            query.status = "CANCELLED"
            if query.connection is not None:
                query.connection.interrupt()

    AthenaResponse.start_query_execution = start_query_execution
    AthenaResponse.get_query_execution = get_query_execution
    AthenaResponse.batch_get_query_execution = batch_get_query_execution
    AthenaResponse.get_query_results = get_query_results
    AthenaBackend.stop_query_execution = stop_query_execution


def _result_configuration(group: WorkGroup, asked: dict[str, Any]) -> dict[str, Any]:
    """The work group's settings alone where it enforces them, else the client's over them."""
    own = group.configuration.get("ResultConfiguration") or {}
    return dict(own) if group.configuration.get("EnforceWorkGroupConfiguration") else {**own, **asked}


def _query(response: AthenaResponse) -> Query:
    identifier = response._get_param("QueryExecutionId")
    try:
        return response.athena_backend.executions[identifier]  # type: ignore[return-value]
    except KeyError:
        raise InvalidRequestException(f"QueryExecution {identifier} was not found") from None


def _page(result: Result, token: str | None, limit: int) -> dict[str, Any]:
    """A page of lines, the header being the first line of the first page."""
    begin = int(token or 0)
    lines = result.lines[begin : begin + limit]
    rows = [{"Data": [{} if v is None else {"VarCharValue": v} for v in line]} for line in lines]
    page: dict[str, Any] = {
        "UpdateCount": 0,
        "ResultSet": {
            "Rows": rows,
            "ResultSetMetadata": {"ColumnInfo": [column.as_info() for column in result.columns]},
        },
    }
    if begin + limit < len(result.lines):
        page["NextToken"] = str(begin + limit)
    return page
