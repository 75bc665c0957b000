"""What a query asks: its statement, its tables, and its SQL for DuckDB."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope

DEFAULT_CATALOG = "awsdatacatalog"
UNNAMED = "__unnamed_"
"""Marks an output column that the query does not name; Athena calls it _col0, _col1, …"""

NAME = r"`?\"?([\w$-]+)\"?`?"
SHOW_DATABASES = re.compile(r"SHOW\s+(?:DATABASES|SCHEMAS)", re.I)
SHOW_TABLES = re.compile(rf"SHOW\s+TABLES(?:\s+(?:IN|FROM)\s+{NAME})?(?:\s+'([^']*)')?", re.I)
SHOW_COLUMNS = re.compile(
    rf"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+(?:{NAME}\.)?{NAME}(?:\s+(?:IN|FROM)\s+{NAME})?", re.I
)
DESCRIBE = re.compile(rf"DESC(?:RIBE)?\s+(?:(?:EXTENDED|FORMATTED)\s+)?(?:{NAME}\.)?{NAME}", re.I)
COMMENTS = re.compile(r"/\*.*?\*/|--[^\n]*", re.S)


class QueryFailed(Exception):
    """The query is at fault; the text is its StateChangeReason."""


@dataclass(frozen=True, slots=True)
class Listing:
    """SHOW and DESCRIBE."""

    kind: Literal["databases", "tables", "columns", "describe"]
    database: str | None = None
    table: str | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class TableReference:
    """A table of the catalog where the query names it. `suffix` is what follows a $: snapshots, history."""

    node: exp.Table
    database: str | None
    name: str
    suffix: str | None
    position: str


Statement = Listing | exp.Expression


def parse(sql: str, parameters: Sequence[str]) -> Statement:
    """Raises QueryFailed for what is not a query, SHOW or DESCRIBE."""
    bare = COMMENTS.sub(" ", sql).strip().rstrip(";").strip()
    if listing := _listing(bare):
        return listing
    try:
        expressions = [e for e in sqlglot.parse(sql, dialect="athena") if e is not None]
    except SqlglotError as error:
        raise QueryFailed(f"SYNTAX_ERROR: {_first_line(str(error))}") from None
    if len(expressions) != 1:
        raise QueryFailed("Only one sql statement is allowed. Got: " + sql)
    query = expressions[0]
    if not isinstance(query, exp.Query | exp.Values):
        verb = bare.split(maxsplit=1)[0].upper() if bare else "An empty query"
        raise QueryFailed(f"NOT_SUPPORTED: {verb} is not emulated by the offline AWS; SELECT is.")
    return _with_parameters(query, parameters)


def parse_view(sql: str) -> exp.Expression:
    """The query of a view. Raises QueryFailed where it is none."""
    query = parse(sql, ())
    if isinstance(query, Listing):
        raise QueryFailed("INVALID_VIEW: Failed analyzing stored view: it is no query")
    return query


def _listing(sql: str) -> Listing | None:
    if SHOW_DATABASES.fullmatch(sql):
        return Listing("databases")
    if match := SHOW_TABLES.fullmatch(sql):
        return Listing("tables", match[1], pattern=match[2])
    if match := SHOW_COLUMNS.fullmatch(sql):
        return Listing("columns", match[1] or match[3], match[2])
    if match := DESCRIBE.fullmatch(sql):
        return Listing("describe", match[1], match[2])
    return None


def _with_parameters(query: exp.Expression, parameters: Sequence[str]) -> exp.Expression:
    places = [node for node in query.find_all(exp.Placeholder, bfs=False) if not node.this]
    if len(places) != len(parameters):
        raise QueryFailed(
            f"INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected {len(places)} "
            f"but found {len(parameters)}"
        )
    for place, text in zip(places, parameters, strict=True):
        value = sqlglot.parse_one(text, dialect="athena")
        if value.find(exp.Query, exp.Column):
            raise QueryFailed(f"INVALID_PARAMETER_USAGE: {text} is not a literal")
        place.replace(value)
    return query


def table_references(query: exp.Expression, sql: str) -> Iterator[TableReference]:
    """Every table that is none of the query's own common table expressions."""
    seen: set[int] = set()
    for scope in traverse_scope(query):
        for _, source in scope.selected_sources.values():
            if isinstance(source, exp.Table) and id(source) not in seen:
                seen.add(id(source))
                yield _reference(source, sql)


def _reference(node: exp.Table, sql: str) -> TableReference:
    position = position_of(node, sql)
    if not isinstance(node.this, exp.Identifier):
        name = node.this.sql("athena")
        raise QueryFailed(f"NOT_SUPPORTED: {position}: table function {name} is not emulated")
    if node.catalog and node.catalog.lower() != DEFAULT_CATALOG:
        raise QueryFailed(f"CATALOG_NOT_FOUND: {position}: Catalog '{node.catalog}' does not exist")
    name, _, suffix = node.name.lower().partition("$")
    return TableReference(node, node.db.lower() or None, name, suffix or None, position)


def point_to(reference: TableReference, relation: str) -> None:
    """Make the query read the DuckDB relation, under the name it gave to the table."""
    _put_in_place(reference, exp.Table(this=exp.to_identifier(relation, quoted=True)))


def replace_by_query(reference: TableReference, query: exp.Expression) -> None:
    """Make the query read what another one answers, under the name it gave to the view."""
    _put_in_place(reference, exp.Subquery(this=query))


def _put_in_place(reference: TableReference, source: exp.Expression) -> None:
    alias = reference.node.args.get("alias") or exp.TableAlias(
        this=exp.to_identifier(reference.node.name, quoted=True)
    )
    for key in ("joins", "pivots", "sample"):
        source.set(key, reference.node.args.get(key))
    source.set("alias", alias)
    reference.node.replace(source)


def to_duckdb(query: exp.Expression) -> str:
    """The query in DuckDB's SQL; output columns that have no name are marked."""
    for column in query.find_all(exp.Column):
        if column.args.get("db"):  # database.table.column: the table's alias is its name
            column.set("db", None)
            column.set("catalog", None)
    select = query
    while not isinstance(select, exp.Select | exp.Values):
        select = select.this
    if isinstance(select, exp.Select):
        for number, projection in enumerate(select.expressions):
            if not isinstance(projection, exp.Column | exp.Alias | exp.Star):
                projection.replace(exp.alias_(projection.copy(), f"{UNNAMED}{number}", quoted=True))
    return query.sql(dialect="duckdb")


def position_of(node: exp.Expression, sql: str) -> str:
    """`line 1:8`, where the node begins; line 1:1 for one that the parser made up."""
    parts = getattr(node, "parts", None) or [node]
    start = parts[0].meta.get("start", 0)
    line = sql.count("\n", 0, start) + 1
    return f"line {line}:{start - (sql.rfind(chr(10), 0, start) + 1) + 1}"


def explain_failure(message: str, query: exp.Expression, sql: str) -> str:
    """DuckDB's complaint as Athena puts it, as far as the two have one."""
    patterns = (r'Referenced column "([^"]+)" not found', r'does not have a column named "([^"]+)"')
    for pattern in patterns:
        if match := re.search(pattern, message):
            return _column_not_found(match[1], query, sql)
    if match := re.search(r'Referenced table "([^"]+)" not found', message):
        wanted = match[1].lower()
        for column in query.find_all(exp.Column):
            if column.table.lower() == wanted:
                return _column_not_found(column.name, query, sql)
    if match := re.search(r"Function with name (\w+) does not exist", message):
        return f"FUNCTION_NOT_FOUND: Function '{match[1]}' not registered"
    if match := re.search(r"must appear in the GROUP BY clause", message):
        return f"EXPRESSION_NOT_AGGREGATE: {_first_line(message)}"
    return f"GENERIC_USER_ERROR: {_first_line(message)}"


def _column_not_found(name: str, query: exp.Expression, sql: str) -> str:
    found = next((c for c in query.find_all(exp.Column) if c.name.lower() == name.lower()), None)
    where = position_of(found, sql) if found else "line 1:1"
    written = ".".join(part.name for part in found.parts) if found else name
    return (
        f"COLUMN_NOT_FOUND: {where}: Column '{written}' cannot be resolved or requester is not authorized "
        "to access requested resources"
    )


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0]
