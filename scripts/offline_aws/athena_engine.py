"""One Athena query: SQL over the emulated Glue catalog, with Lake Formation's columns, run in DuckDB."""

from __future__ import annotations

import fnmatch
import logging
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from moto.athena.models import WorkGroup
from moto.glue.models import FakeTable
from moto.s3.exceptions import S3ClientError
from moto.s3.models import s3_backends
from sqlglot import exp

from scripts.offline_aws import athena_sql
from scripts.offline_aws.athena_results import Result, from_duckdb, listing
from scripts.offline_aws.athena_sql import Listing, QueryFailed, TableReference
from scripts.offline_aws.athena_tables import AsOf, Catalog, Scanned, view_of
from scripts.offline_aws.execution import PARTITION
from scripts.offline_aws.state import ServerState

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger("offline_aws.athena")

QueryState = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]
ENGINE_THREADS = 2


@dataclass(eq=False)
class Query:
    """One execution. moto lists it by `workgroup` and reads its `status`."""

    sql: str
    context: dict[str, str]
    output_location: str
    result_configuration: dict[str, Any]
    workgroup: WorkGroup
    execution_parameters: list[str] | None
    principal_arn: str | None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: QueryState = "QUEUED"
    reason: str | None = None
    submitted_at: float = field(default_factory=time.time)
    started_at: float | None = None
    completed_at: float | None = None
    scanned_bytes: int = 0
    result: Result | None = None
    connection: duckdb.DuckDBPyConnection | None = None

    @property
    def statement_type(self) -> str:
        verb = athena_sql.COMMENTS.sub(" ", self.sql).split(maxsplit=1)[:1]
        word = verb[0].upper().strip("(") if verb else ""
        if word in ("SHOW", "DESCRIBE", "DESC", "EXPLAIN"):
            return "UTILITY"
        return "DDL" if word in ("CREATE", "ALTER", "DROP", "MSCK") else "DML"

    def advance(self) -> None:
        """moto moves its executions on when they are looked at; these move by themselves."""

    def as_dict(self) -> dict[str, Any]:
        ended, began = self.completed_at or time.time(), self.started_at or time.time()
        status: dict[str, Any] = {"State": self.status, "SubmissionDateTime": self.submitted_at}
        if self.completed_at:
            status["CompletionDateTime"] = self.completed_at
        if self.reason:
            status["StateChangeReason"] = self.reason
            status["AthenaError"] = {
                "ErrorCategory": 2, "ErrorType": 1301, "Retryable": False, "ErrorMessage": self.reason
            }  # fmt: skip
        described = {
            "QueryExecutionId": self.id,
            "Query": self.sql,
            "StatementType": self.statement_type,
            "ResultConfiguration": {**self.result_configuration, "OutputLocation": self.output_location},
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            "QueryExecutionContext": self.context,
            "Status": status,
            "Statistics": {
                "EngineExecutionTimeInMillis": int((ended - began) * 1000),
                "DataScannedInBytes": self.scanned_bytes,
                "TotalExecutionTimeInMillis": int((ended - self.submitted_at) * 1000),
                "QueryQueueTimeInMillis": int((began - self.submitted_at) * 1000),
                "ResultReuseInformation": {"ReusedPreviousResult": False},
            },
            "WorkGroup": self.workgroup.name,
            "EngineVersion": self.workgroup.configuration.get("EngineVersion", {}),
        }
        if self.execution_parameters:
            described["ExecutionParameters"] = self.execution_parameters
        return described


class Engine:
    def __init__(self, state: ServerState) -> None:
        self.state = state

    def start(self, query: Query) -> None:
        threading.Thread(target=self._run_to_end, args=(query,), name="athena", daemon=True).start()

    def _run_to_end(self, query: Query) -> None:
        query.status, query.started_at = "RUNNING", time.time()
        state, reason = "SUCCEEDED", None
        try:
            result = self._run(query)
            self._write(query, result)
            query.result = result
        except QueryFailed as failed:
            state, reason = "FAILED", str(failed)
        except Exception as error:
            log.exception("query %s: the offline AWS itself failed", query.id)
            state, reason = "FAILED", f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}"
        query.connection = None
        query.completed_at = time.time()
        if query.status != "CANCELLED":
            query.status, query.reason = state, reason  # type: ignore[assignment]
        log.info("query %s %s %s", query.id, query.status, query.reason or "")

    def _run(self, query: Query) -> Result:
        catalog = Catalog(self.state, query.principal_arn)
        database = query.context.get("Database", "default").lower()
        statement = athena_sql.parse(query.sql, query.execution_parameters or [])
        if isinstance(statement, Listing):
            return _answer_listing(catalog, statement, database)
        return self._select(query, statement, catalog, database)

    def _select(self, query: Query, statement: exp.Expression, catalog: Catalog, database: str) -> Result:
        import duckdb

        original = statement.copy()
        connection = query.connection = duckdb.connect(config={"threads": ENGINE_THREADS})
        with connection:
            connection.execute("SET python_enable_replacements = false")
            connection.execute("SET integer_division = true")  # 7 / 2 is 3 in Athena
            connection.execute("SET TimeZone = 'UTC'")
            self._resolve(query, statement, query.sql, catalog, database)
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            try:
                cursor = connection.execute(athena_sql.to_duckdb(statement))
                return from_duckdb(cursor.description or [], cursor.fetchall())
            except duckdb.InterruptException:
                raise QueryFailed("Query cancelled") from None
            except duckdb.Error as error:
                raise QueryFailed(athena_sql.explain_failure(str(error), original, query.sql)) from None

    def _resolve(
        self, query: Query, statement: exp.Expression, sql: str, catalog: Catalog, database: str
    ) -> None:
        """Put what DuckDB can read in the place of each table; of a view its query, as the same principal."""
        assert query.connection is not None
        for reference in list(athena_sql.table_references(statement, sql)):
            home = reference.database or database
            table = catalog.table(home, reference.name, reference.position)
            if view := view_of(table):
                body = athena_sql.parse_view(view.sql)
                self._resolve(query, body, view.sql, catalog, view.database)
                athena_sql.replace_by_query(reference, body)
                continue
            scanned = _scan(catalog, table, reference, home)
            query.scanned_bytes += scanned.scanned_bytes
            relation = f"table_{uuid.uuid4().hex}"  # which no query can name
            _register(query.connection, relation, scanned)
            athena_sql.point_to(reference, relation)

    def _write(self, query: Query, result: Result) -> None:
        suffix, content = result.as_file()
        query.output_location = query.output_location.removesuffix(".csv") + suffix
        bucket, _, key = query.output_location.removeprefix("s3://").partition("/")
        try:
            s3_backends[self.state.account_id][PARTITION].put_object(bucket, key, content)
        except S3ClientError:
            raise QueryFailed(
                f"Unable to verify/create output bucket {bucket}. Verify that it exists."
            ) from None


def _scan(catalog: Catalog, table: FakeTable, reference: TableReference, database: str) -> Scanned:
    if reference.suffix:
        return catalog.read_view(database, table, reference.suffix, reference.position)
    return catalog.read(database, table, _as_of(reference.node))


def _as_of(node: exp.Table) -> AsOf:
    version = node.args.get("version")
    if version is None:
        return AsOf()
    text = version.expression.find(exp.Literal)
    if text is None:
        raise QueryFailed("NOT_SUPPORTED: FOR … AS OF takes a literal in the offline AWS")
    if version.name.upper() == "VERSION":
        return AsOf(snapshot_id=int(text.this))
    try:
        moment = datetime.fromisoformat(text.this.replace(" UTC", "+00:00"))
    except ValueError:
        raise QueryFailed(f"INVALID_LITERAL: '{text.this}' is not a valid timestamp literal") from None
    return AsOf(moment=moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _register(connection: duckdb.DuckDBPyConnection, name: str, scanned: Scanned) -> None:
    if not scanned.casts and not scanned.filtered:
        connection.register(name, scanned.data)
        return
    connection.register(f"{name}_stored", scanned.data)
    columns = [
        f'TRY_CAST("{column}" AS {duckdb_type}) AS "{column}"'
        for column, duckdb_type in scanned.casts.items()
    ]
    where = ""
    if scanned.filtered:
        columns = [f'"{column}"' for column in scanned.filtered.columns]
        where = f" WHERE {scanned.filtered.condition}"
    connection.execute(f'CREATE VIEW "{name}" AS SELECT {", ".join(columns)} FROM "{name}_stored"{where}')


def _answer_listing(catalog: Catalog, asked: Listing, default_database: str) -> Result:
    database = (asked.database or default_database).lower()
    if asked.kind == "databases":
        return listing("database_name", catalog.databases())
    if asked.kind == "tables":
        names = catalog.tables(database)
        patterns = (asked.pattern or "*").split("|")
        return listing("tab_name", [n for n in names if any(fnmatch.fnmatch(n, p) for p in patterns)])
    table = catalog.table(database, (asked.table or "").lower())
    columns = catalog.visible_columns(database, table)
    if asked.kind == "columns":
        return listing("field", [column["Name"] for column in columns])
    rows = [f"{c['Name']:<20}\t{c['Type']:<20}\t{c.get('Comment') or '':<20}" for c in columns]
    return listing("describe", rows)
