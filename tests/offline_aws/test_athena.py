"""Athena's SQL over the emulated catalog, with the columns that Lake Formation grants."""

from __future__ import annotations

import base64
import csv
import io
import json

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from deployments import until

ROWS = [
    {"first_name": "Zoë", "department": "IT", "age": 31, "salary": 50_000, "hire_date": "2020-01-31"},
    {"first_name": "Núñez", "department": None, "age": 45, "salary": 61_000, "hire_date": "2019-05-01"},
    {
        "first_name": "O'Brien",
        "department": 'HR "North"',
        "age": 28,
        "salary": 42_000,
        "hire_date": "2024-02-29",
    },
]
COLUMNS = {
    "first_name": "string",
    "department": "string",
    "age": "bigint",
    "salary": "bigint",
    "hire_date": "date",
}
OPEN_COLUMNS = ["department", "age", "salary", "hire_date"]


class QueryFailed(Exception):
    """A query did not succeed; the text is its StateChangeReason."""


class Asker:
    """Runs queries with one set of credentials."""

    def __init__(self, athena, group: str, database: str) -> None:
        self.athena, self.group, self.database = athena, group, database

    def start(self, sql: str, **fields) -> str:
        asked = {"WorkGroup": self.group, "QueryExecutionContext": {"Database": self.database}, **fields}
        return self.athena.start_query_execution(QueryString=sql, **asked)["QueryExecutionId"]

    def finish(self, query_id: str) -> dict:
        def look():
            found = self.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            return None if found["Status"]["State"] in ("QUEUED", "RUNNING") else found

        execution = until(look)
        if execution["Status"]["State"] != "SUCCEEDED":
            raise QueryFailed(execution["Status"]["StateChangeReason"])
        return execution

    def __call__(self, sql: str, **fields) -> list[list[str | None]]:
        """Every row as text, the header first."""
        query_id = self.start(sql, **fields)
        self.finish(query_id)
        rows = self.athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"]
        return [[value.get("VarCharValue") for value in row["Data"]] for row in rows]


@pytest.fixture(scope="module")
def names():
    return {"database": "athena_tests", "bucket": "athena-tests", "group": "athena-tests"}


@pytest.fixture(scope="module")
def lake(client, offline_aws, names):
    """An Iceberg table of three rows in two snapshots, a work group, and an analyst and a steward."""
    glue, formation = client("glue"), client("lakeformation")
    client("s3").create_bucket(Bucket=names["bucket"])
    client("athena").create_work_group(
        Name=names["group"],
        Configuration={
            "EnforceWorkGroupConfiguration": True,
            "ResultConfiguration": {"OutputLocation": f"s3://{names['bucket']}/results/"},
        },
    )
    glue.create_database(DatabaseInput={"Name": names["database"], "CreateTableDefaultPermissions": []})
    glue.create_table(
        DatabaseName=names["database"],
        TableInput={
            "Name": "employee",
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": {
                "Location": f"s3://{names['bucket']}/warehouse/employee",
                "Columns": [{"Name": name, "Type": kind} for name, kind in COLUMNS.items()],
            },
        },
        OpenTableFormatInput={"IcebergInput": {"MetadataOperation": "CREATE", "Version": "2"}},
    )
    append(offline_aws, names["database"], ROWS[:2])
    append(offline_aws, names["database"], ROWS[2:])
    for role in ("analyst", "steward", "stranger", "it_reader"):
        client("iam").create_role(RoleName=f"athena-{role}", AssumeRolePolicyDocument="{}")
    table = {"DatabaseName": names["database"], "Name": "employee"}
    for role, resource in (
        ("analyst", {"TableWithColumns": {**table, "ColumnNames": OPEN_COLUMNS}}),
        ("steward", {"Table": table}),
    ):
        formation.grant_permissions(
            Principal={"DataLakePrincipalIdentifier": f"arn:aws:iam::123456789012:role/athena-{role}"},
            Resource=resource,
            Permissions=["SELECT"],
        )
    cells = {"TableCatalogId": "123456789012", "DatabaseName": names["database"], "TableName": "employee"}
    formation.create_data_cells_filter(
        TableData={
            **cells,
            "Name": "it",
            "ColumnNames": ["age", "salary"],
            "RowFilter": {"FilterExpression": "department = 'IT'"},
        }
    )
    formation.grant_permissions(
        Principal={"DataLakePrincipalIdentifier": "arn:aws:iam::123456789012:role/athena-it_reader"},
        Resource={"DataCellsFilter": {**cells, "Name": "it"}},
        Permissions=["SELECT"],
    )


def append(offline_aws, database: str, rows: list[dict]) -> None:
    from pyiceberg.catalog.glue import GlueCatalog

    endpoint, region = offline_aws.state.endpoint, offline_aws.state.region
    keys = {"access-key-id": "test", "secret-access-key": "test", "region": region, "endpoint": endpoint}
    properties = {f"{part}.{key}": value for part in ("s3", "glue") for key, value in keys.items()}
    table = GlueCatalog("offline", **properties).load_table((database, "employee"))
    text = pa.Table.from_pylist(rows)
    dates = text.column("hire_date").cast(pa.date32())
    typed = text.set_column(text.column_names.index("hire_date"), "hire_date", dates)
    table.append(typed.cast(table.schema().as_arrow()))


@pytest.fixture
def ask_as(client, lake, names):
    """`ask_as("analyst")` asks with that role's session; `ask_as(None)` as the account's administrator."""

    def asker(role: str | None) -> Asker:
        if role is None:
            return Asker(client("athena"), names["group"], names["database"])
        keys = client("sts").assume_role(
            RoleArn=f"arn:aws:iam::123456789012:role/athena-{role}", RoleSessionName="test"
        )["Credentials"]
        athena = client(
            "athena",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        return Asker(athena, names["group"], names["database"])

    return asker


def test_the_star_is_what_is_granted(ask_as):
    """`select *` shows an analyst the granted columns and a steward all."""
    sql = "SELECT * FROM employee ORDER BY age"
    analyst = ask_as("analyst")(sql)
    assert analyst[0] == OPEN_COLUMNS
    assert analyst[1] == ['HR "North"', "28", "42000", "2024-02-29"]
    assert analyst[3] == [None, "45", "61000", "2019-05-01"]
    assert [row[0] for row in ask_as("steward")(sql)] == ["first_name", "O'Brien", "Zoë", "Núñez"]
    assert ask_as(None)(sql) == ask_as("steward")(sql)


@pytest.mark.parametrize(
    ("sql", "position", "column"),
    [
        ("SELECT first_name FROM employee", "line 1:8", "first_name"),
        ("SELECT age,\n  e.first_name FROM employee e", "line 2:3", "e.first_name"),
        ("SELECT age FROM employee WHERE first_name = 'Zoë'", "line 1:32", "first_name"),
        ("SELECT count(*) FROM employee GROUP BY lower(first_name)", "line 1:46", "first_name"),
        ("WITH x AS (SELECT * FROM employee) SELECT first_name FROM x", "line 1:43", "first_name"),
        ("SELECT age FROM employee ORDER BY first_name", "line 1:35", "first_name"),
        ("SELECT (SELECT max(first_name) FROM employee)", "line 1:20", "first_name"),
        ("SELECT nonsense FROM employee", "line 1:8", "nonsense"),
    ],
)
def test_a_hidden_column_cannot_be_named(ask_as, sql, position, column):
    """A column that is not granted fails like one that does not exist, wherever the query names it."""
    with pytest.raises(QueryFailed) as failed:
        ask_as("analyst")(sql)
    assert str(failed.value) == (
        f"COLUMN_NOT_FOUND: {position}: Column '{column}' cannot be resolved or requester is not authorized "
        "to access requested resources"
    )


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM table_0",
        "SELECT * FROM read_csv('/etc/hostname')",
        "SELECT * FROM '/etc/hostname'",
        "SELECT * FROM duckdb_columns()",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM iceberg_scan('s3://athena-tests/warehouse/employee')",
        "SELECT * FROM query_table('employee')",
        "SELECT 1; SELECT 2",
        "COPY employee TO '/tmp/x'",
        "ATTACH '/tmp/x'",
        "SET enable_external_access = true",
        "INSERT INTO employee SELECT * FROM employee",
        "DROP TABLE employee",
        "CREATE TABLE x AS SELECT 1",
        'SELECT * FROM "employee$files"',
        'SELECT * FROM "employee$snapshots"',
    ],
)
def test_nothing_but_granted_tables_can_be_read(ask_as, sql):
    """Functions of the engine, files, other statements and file statistics are no way around a grant."""
    with pytest.raises(QueryFailed):
        ask_as("analyst")(sql)


def test_without_a_grant_a_table_is_not_there(ask_as, names):
    """A role without any grant can neither read, list nor describe the table."""
    stranger = ask_as("stranger")
    for sql in ("SELECT count(*) FROM employee", "DESCRIBE employee"):
        with pytest.raises(QueryFailed, match=r"Insufficient Lake Formation permission\(s\) on employee"):
            stranger(sql)
    assert stranger("SHOW TABLES") == []


def test_missing_tables_and_databases_are_named(ask_as, names):
    """The reason says where in the query the name stands."""
    ask = ask_as(None)
    with pytest.raises(QueryFailed) as failed:
        ask("SELECT * FROM nobody")
    assert str(failed.value) == (
        "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.athena_tests.nobody' does not exist"
    )
    with pytest.raises(QueryFailed, match="SCHEMA_NOT_FOUND: line 1:15: Schema 'nowhere' does not exist"):
        ask("SELECT * FROM nowhere.employee")


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT 7 / 2, 7.0 / 2 AS half, 1 = 1", [["_col0", "half", "_col2"], ["3", "3.5", "true"]]),
        ("SELECT sum(salary) AS Total FROM employee", [["total"], ["153000"]]),
        ("SELECT avg(age) FROM employee WHERE age > 40", [["_col0"], ["45.0"]]),
        (
            "SELECT 1e10, 12345678.9, 0.0001e0",
            [["_col0", "_col1", "_col2"], ["1.0E10", "12345678.9", "1.0E-4"]],
        ),
        (
            "SELECT e.age, x.n FROM athena_tests.employee e "
            "JOIN (VALUES (31, 'a')) AS x(age, n) ON e.age = x.age",
            [["age", "n"], ["31", "a"]],
        ),
        (
            'SELECT "employee"."age" FROM "awsdatacatalog"."athena_tests"."employee" WHERE hire_date '
            ">= DATE '2024-01-01'",
            [["age"], ["28"]],
        ),
        (
            "WITH employee AS (SELECT age FROM employee) SELECT max(age) AS m FROM employee",
            [["m"], ["45"]],
        ),
        ("WITH table_0 AS (SELECT 1 AS age) SELECT max(age) AS m FROM employee", [["m"], ["45"]]),
        (
            "SELECT age FROM employee WHERE age < 30 UNION ALL SELECT max(age) FROM employee ORDER BY 1",
            [["age"], ["28"], ["45"]],
        ),
        (
            "SELECT department FROM employee ORDER BY department LIMIT 3",
            [["department"], ['HR "North"'], ["IT"], [None]],
        ),
        ("SELECT timestamp '2024-01-02 03:04:05', array[1, null]", None),
        ("-- a comment\nSELECT count_if(age > 30) AS n /* all */ FROM employee;", [["n"], ["2"]]),
    ],
)
def test_athenas_sql_has_athenas_answers(ask_as, sql, rows):
    """Division of integers, unnamed columns, lower-case names, null order and numbers are Athena's."""
    if rows is None:
        rows = [["_col0", "_col1"], ["2024-01-02 03:04:05.000000", "[1, null]"]]
    assert ask_as(None)(sql) == rows


def test_the_past_can_be_asked(ask_as, offline_aws):
    """`$snapshots`, `FOR VERSION AS OF` and `FOR TIMESTAMP AS OF` read Iceberg's history."""
    ask = ask_as("steward")
    snapshots = ask(
        'SELECT snapshot_id, operation, committed_at FROM "employee$snapshots" ORDER BY committed_at'
    )
    assert [row[1] for row in snapshots[1:]] == ["append", "append"]
    first = snapshots[1][0]
    assert ask(f"SELECT count(*) AS n FROM employee FOR VERSION AS OF {first}")[1] == ["2"]
    when = snapshots[1][2]
    assert ask(f"SELECT count(*) AS n FROM employee FOR TIMESTAMP AS OF TIMESTAMP '{when} UTC'")[1] == ["2"]
    with pytest.raises(QueryFailed, match="INVALID_ARGUMENTS"):
        ask("SELECT * FROM employee FOR TIMESTAMP AS OF TIMESTAMP '2001-01-01 00:00:00 UTC'")


def test_parameters_take_the_place_of_question_marks(ask_as):
    """ExecutionParameters are literals, in order; too few or a subquery fail."""
    ask = ask_as("analyst")
    sql = "SELECT age FROM employee WHERE age > ? AND department = ?"
    assert ask(sql, ExecutionParameters=["30", "'IT'"])[1:] == [["31"]]
    for parameters in (["30"], ["30", "(SELECT department FROM employee)"]):
        with pytest.raises(QueryFailed, match="INVALID_PARAMETER_USAGE"):
            ask(sql, ExecutionParameters=parameters)


def test_tables_are_listed_and_described_as_far_as_they_are_granted(ask_as, names):
    """SHOW TABLES, SHOW COLUMNS and DESCRIBE show no hidden column."""
    analyst = ask_as("analyst")
    assert analyst("SHOW TABLES") == [["employee"]]
    assert analyst(f"show tables in {names['database']} 'emp*'") == [["employee"]]
    assert analyst("SHOW TABLES 'x*'") == []
    assert [names["database"]] in analyst("SHOW DATABASES")
    assert analyst("SHOW COLUMNS IN employee") == [[column] for column in OPEN_COLUMNS]
    described = [row[0].split() for row in analyst(f"DESCRIBE {names['database']}.employee")]
    assert described == [[column, COLUMNS[column]] for column in OPEN_COLUMNS]


def test_the_results_file_is_athenas_csv(ask_as, client, names):
    """Every value is quoted, quotes are doubled, null is empty; the name is the query's id."""
    ask = ask_as("analyst")
    query_id = ask.start("SELECT department, age FROM employee ORDER BY age")
    execution = ask.finish(query_id)
    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://{names['bucket']}/results/{query_id}.csv"
    key = location.removeprefix(f"s3://{names['bucket']}/")
    text = client("s3").get_object(Bucket=names["bucket"], Key=key)["Body"].read().decode()
    assert text == '"department","age"\n"HR ""North""","28"\n"IT","31"\n,"45"\n'
    assert list(csv.reader(io.StringIO(text)))[1] == ['HR "North"', "28"]
    assert execution["StatementType"] == "DML"
    assert execution["Statistics"]["DataScannedInBytes"] > 0


def test_results_have_types_and_pages(ask_as):
    """ColumnInfo carries Athena's types; the header counts as a row of the first page."""
    ask = ask_as("analyst")
    query_id = ask.start("SELECT *, cast(1.5 AS decimal(5,2)) AS d FROM employee ORDER BY age")
    ask.finish(query_id)
    page = ask.athena.get_query_results(QueryExecutionId=query_id, MaxResults=3)
    info = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert [(column["Name"], column["Type"]) for column in info] == [
        ("department", "varchar"),
        ("age", "bigint"),
        ("salary", "bigint"),
        ("hire_date", "date"),
        ("d", "decimal"),
    ]
    assert (info[-1]["Precision"], info[-1]["Scale"]) == (5, 2)
    rows = page["ResultSet"]["Rows"]
    assert rows[0]["Data"][0]["VarCharValue"] == "department"
    following = ask.athena.get_query_results(QueryExecutionId=query_id, NextToken=page["NextToken"])
    assert len(rows) + len(following["ResultSet"]["Rows"]) == 4
    assert "NextToken" not in following
    paginated = ask.athena.get_paginator("get_query_results").paginate(
        QueryExecutionId=query_id, PaginationConfig={"PageSize": 1}
    )
    assert len([row for page in paginated for row in page["ResultSet"]["Rows"]]) == 4


def test_a_failed_query_has_no_results(ask_as):
    """GetQueryResults of a query that failed is an error that says so."""
    ask = ask_as(None)
    query_id = ask.start("MERGE INTO employee USING x ON true")
    with pytest.raises(QueryFailed, match=r"NOT_SUPPORTED|SYNTAX_ERROR"):
        ask.finish(query_id)
    with pytest.raises(ClientError, match="Final query state: FAILED"):
        ask.athena.get_query_results(QueryExecutionId=query_id)


def test_a_query_needs_a_place_for_its_results(client, lake):
    """Without an output location, in the work group or the call, the query is refused at once."""
    with pytest.raises(ClientError, match="No output location provided"):
        client("athena").start_query_execution(QueryString="SELECT 1")


def test_raw_csv_is_read_as_the_crawler_catalogued_it(ask_as, client, names):
    """Hive partitions are columns; what does not fit a column's type is null, as in Athena."""
    lines = "age,name,hired\n31,Zoë,2020-01-31\nold,Núñez\n"
    for day in ("2026-01-01", "2026-01-02"):
        key = f"raw/employee/dt={day}/file.csv"
        client("s3").put_object(Bucket=names["bucket"], Key=key, Body=lines.encode())
    descriptor = {
        "Columns": [
            {"Name": "age", "Type": "bigint"},
            {"Name": "name", "Type": "string"},
            {"Name": "hired", "Type": "date"},
        ],
        "Location": f"s3://{names['bucket']}/raw/employee/",
        "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
        "SerdeInfo": {
            "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
            "Parameters": {"field.delim": ","},
        },
        "Parameters": {"skip.header.line.count": "1"},
    }
    glue = client("glue")
    glue.create_table(
        DatabaseName=names["database"],
        TableInput={
            "Name": "raw_employee",
            "StorageDescriptor": descriptor,
            "PartitionKeys": [{"Name": "dt", "Type": "string"}],
            "Parameters": {"skip.header.line.count": "1"},
        },
    )
    for day in ("2026-01-01", "2026-01-02"):
        location = f"{descriptor['Location']}dt={day}/"
        glue.create_partition(
            DatabaseName=names["database"],
            TableName="raw_employee",
            PartitionInput={"Values": [day], "StorageDescriptor": {**descriptor, "Location": location}},
        )
    rows = ask_as(None)("SELECT * FROM raw_employee WHERE dt = '2026-01-02' ORDER BY age")
    assert rows == [
        ["age", "name", "hired", "dt"],
        ["31", "Zoë", "2020-01-31", "2026-01-02"],
        [None, "Núñez", None, "2026-01-02"],
    ]


def test_a_filter_shows_its_rows_and_columns(ask_as):
    """Of a data cells filter's rows a principal sees its columns, however a query asks for others."""
    ask = ask_as("it_reader")
    assert ask("SELECT * FROM employee") == [["age", "salary"], ["31", "50000"]]
    assert ask("SELECT count(*) FROM employee WHERE age > 0 OR true")[1] == ["1"]
    assert ask("SELECT max(e.salary) FROM employee e JOIN employee f ON e.age <= f.age")[1] == ["50000"]
    for hidden in ("SELECT department FROM employee", "SELECT age FROM employee WHERE department IS NULL"):
        with pytest.raises(QueryFailed, match="COLUMN_NOT_FOUND"):
            ask(hidden)
    with pytest.raises(QueryFailed, match="Insufficient"):
        ask('SELECT * FROM "employee$files"')


@pytest.fixture(scope="module")
def view(client, lake, names):
    """`view(name, sql)` puts a view of the tables as Athena itself would, granted to analyst and steward."""
    glue, formation = client("glue"), client("lakeformation")

    def create(name: str, sql: str) -> None:
        body = {"originalSql": sql, "catalog": "awsdatacatalog", "schema": names["database"], "columns": []}
        encoded = base64.b64encode(json.dumps(body).encode()).decode()
        glue.create_table(
            DatabaseName=names["database"],
            TableInput={
                "Name": name,
                "TableType": "VIRTUAL_VIEW",
                "Parameters": {"presto_view": "true", "comment": "Presto View"},
                "ViewOriginalText": f"/* Presto View: {encoded} */",
                "ViewExpandedText": "/* Presto View */",
                "StorageDescriptor": {"Columns": [{"Name": "x", "Type": "bigint"}]},
            },
        )
        for role in ("analyst", "steward"):
            formation.grant_permissions(
                Principal={"DataLakePrincipalIdentifier": f"arn:aws:iam::123456789012:role/athena-{role}"},
                Resource={"Table": {"DatabaseName": names["database"], "Name": name}},
                Permissions=["SELECT"],
            )

    return create


def test_a_view_answers_its_query_as_who_asks(ask_as, view):
    """A view is what its query says, of other views too; whoever asks needs the view and what is below it."""
    view("by_department", "SELECT department, count(*) AS heads FROM employee GROUP BY 1")
    view("named", "WITH old AS (SELECT first_name, age FROM employee WHERE age > 30) SELECT * FROM old")
    view("departments", "SELECT count(*) AS x FROM by_department d JOIN by_department e USING (heads)")
    sql = (
        "SELECT v.heads, e.age FROM by_department v JOIN employee e ON e.department = v.department ORDER BY 2"
    )
    assert ask_as("analyst")(sql) == [["heads", "age"], ["1", "28"], ["1", "31"]]
    assert ask_as("analyst")("SELECT x FROM departments")[1] == ["9"]
    assert ask_as("steward")("SELECT * FROM named ORDER BY age")[1:] == [["Zoë", "31"], ["Núñez", "45"]]
    with pytest.raises(QueryFailed, match="COLUMN_NOT_FOUND"):
        ask_as("analyst")("SELECT age FROM named")
    for role in ("stranger", "it_reader"):
        with pytest.raises(QueryFailed, match="Insufficient permissions"):
            ask_as(role)("SELECT * FROM by_department")


PROJECTED = {
    "projection.enabled": "true",
    "projection.dataset.type": "enum",
    "projection.dataset.values": "employee,orders",
    "projection.month.type": "date",
    "projection.month.format": "yyyy-MM",
    "projection.month.range": "2026-01,NOW+1DAYS",
}


@pytest.fixture(scope="module")
def projected(client, lake, names):
    """A table of JSON lines without a partition in the catalog; yields a function that puts an object."""
    location = f"s3://{names['bucket']}/records/"
    template = {"storage.location.template": location + "dataset=${dataset}/month=${month}/"}
    client("glue").create_table(
        DatabaseName=names["database"],
        TableInput={
            "Name": "records",
            "StorageDescriptor": {
                "Columns": [
                    {"Name": "run", "Type": "string"},
                    {"Name": "rows_read", "Type": "bigint"},
                    {"Name": "at", "Type": "timestamp"},
                    {"Name": "columns", "Type": "array<string>"},
                ],
                "Location": location,
                "SerdeInfo": {"SerializationLibrary": "org.apache.hive.hcatalog.data.JsonSerDe"},
            },
            "PartitionKeys": [{"Name": name, "Type": "string"} for name in ("dataset", "month")],
            "Parameters": PROJECTED | template,
        },
    )

    def put(key: str, text: str) -> None:
        client("s3").put_object(Bucket=names["bucket"], Key=f"records/{key}", Body=text.encode())

    return put


def test_json_is_found_by_partition_projection(ask_as, projected):
    """What lies where the projection says is read at once; what lies elsewhere is not."""
    line = (
        '{"run": "%s", "rows_read": 7, "at": "2026-11-24 03:00:00.500", "columns": ["a", "b"], "more": 1}\n'
    )
    projected("dataset=employee/month=2026-11/1.json", line % "first" + '{"run": "second"}\n')
    for outside in (
        "dataset=people/month=2026-11/1.json",
        "dataset=employee/month=2025-12/1.json",
        "dataset=employee/month=2126-12/1.json",
        "dataset=employee/month=11/1.json",
        "dataset=employee/1.json",
    ):
        projected(outside, line % outside)

    assert ask_as(None)("SELECT * FROM records WHERE dataset = 'employee' ORDER BY run") == [
        ["run", "rows_read", "at", "columns", "dataset", "month"],
        ["first", "7", "2026-11-24 03:00:00.500000", "[a, b]", "employee", "2026-11"],
        ["second", None, None, None, "employee", "2026-11"],
    ]


@pytest.mark.parametrize(
    "text",
    ['{"at": "2026-11-24T03:00:00Z"}', '{"rows_read": "seven"}', '{\n  "run": "pretty"\n}'],
    ids=["ISO 8601", "no number", "more than a line"],
)
def test_json_that_hive_cannot_read_fails_the_query(ask_as, projected, text):
    """A record that does not fit its table is noticed here, and not on AWS."""
    projected("dataset=orders/month=2026-11/1.json", text)
    with pytest.raises(QueryFailed, match="HIVE"):
        ask_as(None)("SELECT * FROM records WHERE dataset = 'orders'")
    projected("dataset=orders/month=2026-11/1.json", "")
