"""Glue's crawler over CSV files in S3."""

from __future__ import annotations

import json
import time

import pytest
from botocore.exceptions import ClientError

from scripts.offline_aws.crawler import run_crawler
from scripts.offline_aws.crawler_csv import infer_columns

HEADER = "First_Name,age,salary,hire_date\n"
TODAY = HEADER + "Zoë,31,1000.5,2020-01-02\nJean-Luc,,2000,2021-03-04\n"
INHERITING = json.dumps(
    {"Version": 1.0, "CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}}}
)
TOMORROW = HEADER + "O'Brien,44,1,2020-01-02\nshort row\n"


@pytest.fixture
def crawl(offline_aws):
    state = offline_aws.state
    return lambda crawler: run_crawler(state.account_id, state.region, crawler)


@pytest.fixture
def crawler(client, role, name, bucket, database):
    """A crawler of the raw zone's employee folder."""
    client("glue").create_crawler(
        Name=name,
        Role=role("glue"),
        DatabaseName=database,
        Targets={"S3Targets": [{"Path": f"s3://{bucket}/employee/"}]},
    )
    return name


@pytest.fixture
def land(client, bucket):
    def put(day: str, text: str, file: str = "employee.csv") -> None:
        client("s3").put_object(Bucket=bucket, Key=f"employee/dt={day}/{file}", Body=text.encode())

    return put


def table_of(client, database, name="employee"):
    return client("glue").get_table(DatabaseName=database, Name=name)["Table"]


def columns_of(described):
    return [(column["Name"], column["Type"]) for column in described["StorageDescriptor"]["Columns"]]


def test_a_crawl_makes_table_and_partitions(client, database, bucket, crawler, land, crawl):
    """The table is named after the folder; dt=… folders are partitions; types are read from the rows."""
    land("2026-01-01", TODAY)
    land("2026-01-02", TOMORROW)
    assert crawl(crawler) == "SUCCEEDED"
    table = table_of(client, database)
    assert columns_of(table) == [
        ("first_name", "string"),
        ("age", "bigint"),
        ("salary", "double"),
        ("hire_date", "string"),
    ]
    assert table["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
    assert table["StorageDescriptor"]["Location"] == f"s3://{bucket}/employee/"
    assert table["Parameters"]["classification"] == "csv"
    partitions = client("glue").get_partitions(DatabaseName=database, TableName="employee")["Partitions"]
    assert [partition["Values"] for partition in partitions] == [["2026-01-01"], ["2026-01-02"]]
    location = partitions[1]["StorageDescriptor"]["Location"]
    assert location == f"s3://{bucket}/employee/dt=2026-01-02/"


def test_drift_shows(client, database, crawler, land, crawl):
    """A renamed column appears in the table beside the old one; its partition has only its own."""
    land("2026-01-01", TODAY)
    crawl(crawler)
    land("2026-01-02", TODAY.replace("salary", "pay"))
    crawl(crawler)
    table = table_of(client, database)
    assert [name for name, _ in columns_of(table)] == ["first_name", "age", "salary", "hire_date", "pay"]
    partition = client("glue").get_partition(
        DatabaseName=database, TableName="employee", PartitionValues=["2026-01-02"]
    )["Partition"]
    assert [name for name, _ in columns_of(partition)] == ["first_name", "age", "pay", "hire_date"]
    assert int(table["VersionId"]) > 1


def test_nothing_new_changes_nothing(client, database, crawler, land, crawl):
    """A second crawl of the same files leaves the table's version alone."""
    land("2026-01-01", TODAY)
    crawl(crawler)
    version = table_of(client, database)["VersionId"]
    crawl(crawler)
    assert table_of(client, database)["VersionId"] == version


def test_partitions_can_inherit_the_tables_columns(client, database, crawler, land, crawl):
    """With InheritFromTable every partition has the table's columns."""
    client("glue").update_crawler(Name=crawler, Configuration=INHERITING)
    land("2026-01-01", TODAY)
    land("2026-01-02", TODAY.replace("salary", "pay"))
    crawl(crawler)
    [first, second] = client("glue").get_partitions(DatabaseName=database, TableName="employee")["Partitions"]
    assert columns_of(first) == columns_of(second) == columns_of(table_of(client, database))


def test_partitions_inherit_from_the_table_as_it_is(client, database, crawler, land, crawl):
    """A table whose changes are only logged keeps its columns, and so do the partitions that inherit them."""
    client("glue").update_crawler(
        Name=crawler,
        SchemaChangePolicy={"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"},
        Configuration=INHERITING,
    )
    land("2026-01-01", TODAY)
    crawl(crawler)
    land("2026-01-02", TODAY.replace("salary", "pay"))
    crawl(crawler)
    partitions = client("glue").get_partitions(DatabaseName=database, TableName="employee")["Partitions"]
    assert len(partitions) == 2
    for described in (*partitions, table_of(client, database)):
        assert [name for name, _ in columns_of(described)] == ["first_name", "age", "salary", "hire_date"]


def test_start_crawler_ends_ready(client, database, crawler, land):
    """StartCrawler returns at once; the crawler is READY again with LastCrawl SUCCEEDED when it is done."""
    land("2026-01-01", TODAY)
    glue = client("glue")
    assert "LastCrawl" not in glue.get_crawler(Name=crawler)["Crawler"]
    glue.start_crawler(Name=crawler)
    deadline = time.monotonic() + 10
    while glue.get_crawler(Name=crawler)["Crawler"]["State"] != "READY":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert glue.get_crawler(Name=crawler)["Crawler"]["LastCrawl"]["Status"] == "SUCCEEDED"
    assert [run["State"] for run in glue.list_crawls(CrawlerName=crawler)["Crawls"]] == ["COMPLETED"]


def test_a_failed_crawl_says_why(client, name, bucket, database, crawl):
    """A role that Glue may not assume fails the crawl, and LastCrawl has the reason."""
    glue = client("glue")
    targets = {"S3Targets": [{"Path": f"s3://{bucket}/employee/"}]}
    glue.create_crawler(Name=name, Role="nobody", DatabaseName=database, Targets=targets)
    assert crawl(name) == "FAILED"
    last = glue.get_crawler(Name=name)["Crawler"]["LastCrawl"]
    assert last["Status"] == "FAILED"
    assert "unable to assume" in last["ErrorMessage"]


def test_a_governed_database_needs_create_table(client, database, crawler, land, crawl, role):
    """Where IAMAllowedPrincipals hold nothing, the crawler's role needs CREATE_TABLE on the database."""
    lake = client("lakeformation")
    resource = {"Database": {"Name": database}}
    lake.revoke_permissions(
        Principal={"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"},
        Resource=resource,
        Permissions=["ALL"],
    )
    land("2026-01-01", TODAY)
    assert crawl(crawler) == "FAILED"
    role_arn = client("glue").get_crawler(Name=crawler)["Crawler"]["Role"]
    lake.grant_permissions(
        Principal={"DataLakePrincipalIdentifier": role_arn}, Resource=resource, Permissions=["CREATE_TABLE"]
    )
    assert crawl(crawler) == "SUCCEEDED"


def test_an_empty_folder_makes_no_table(client, database, crawler, crawl):
    """A crawl that finds no files succeeds and creates nothing."""
    assert crawl(crawler) == "SUCCEEDED"
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        table_of(client, database)


@pytest.mark.parametrize(
    ("sample", "types"),
    [
        (b"a,b\n1,x\n2,y\n", {"a": "bigint", "b": "string"}),
        (b"\xef\xbb\xbfa;b\n1;1.5\n", {"a": "bigint", "b": "double"}),
        (b"a,b\n", {"a": "string", "b": "string"}),
        (b'"a","b c"\n"x, y",true\n', {"a": "string", "b c": "boolean"}),
        (b"a\nhello\n", {"a": "string"}),
        (b"Ada,36\nBob,40\n", {"col0": "string", "col1": "bigint"}),
    ],
)
def test_columns_of_small_files(sample, types):
    """Delimiter, byte order mark, quotes, and files of one column, no rows or no header are understood."""
    assert infer_columns(sample).types == types
