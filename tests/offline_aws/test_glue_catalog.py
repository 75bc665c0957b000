"""Glue's Data Catalog."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from scripts.offline_aws import glue_catalog

COLUMNS = [
    {"Name": "name", "Type": "string", "Comment": "who"},
    {"Name": "age", "Type": "int"},
    {"Name": "salary", "Type": "decimal(12,2)"},
    {"Name": "hired", "Type": "date"},
    {"Name": "seen_at", "Type": "timestamp"},
    {"Name": "tags", "Type": "array<string>"},
    {"Name": "rank", "Type": "bigint"},
]


@pytest.fixture
def table(client, database, bucket):
    """An Iceberg table, made as Terraform makes it."""
    client("glue").create_table(
        DatabaseName=database,
        TableInput={
            "Name": "employee",
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": {"Location": f"s3://{bucket}/warehouse/employee/", "Columns": COLUMNS},
        },
        OpenTableFormatInput={"IcebergInput": {"MetadataOperation": "CREATE", "Version": "2"}},
    )
    return client("glue").get_table(DatabaseName=database, Name="employee")["Table"]


def test_a_second_server_in_the_process_changes_nothing(offline_aws, client, bucket, request):
    """However often the offline AWS is installed into moto, a table gets one first metadata file."""
    glue_catalog.install(offline_aws.state)
    request.getfixturevalue("table")
    listed = client("s3").list_objects_v2(Bucket=bucket, Prefix="warehouse/employee/")["Contents"]
    assert len(listed) == 1


def table_input(table, **parameters):
    return {
        "Name": table["Name"],
        "StorageDescriptor": table["StorageDescriptor"],
        "Parameters": {**table["Parameters"], **parameters},
    }


def test_iceberg_create_writes_metadata(client, table, bucket):
    """CreateTable with MetadataOperation CREATE writes the first metadata file and points the table at it."""
    location = table["Parameters"]["metadata_location"]
    assert location.startswith(f"s3://{bucket}/warehouse/employee/metadata/00000-")
    assert table["Parameters"]["table_type"] == "ICEBERG"
    key = location.removeprefix(f"s3://{bucket}/")
    metadata = json.loads(client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    fields = metadata["schemas"][0]["fields"]
    assert metadata["format-version"] == 2
    assert metadata["location"] == f"s3://{bucket}/warehouse/employee"
    assert [field["name"] for field in fields] == [column["Name"] for column in COLUMNS]
    assert [field["type"] for field in fields if field["name"] != "tags"] == [
        "string",
        "int",
        "decimal(12, 2)",
        "date",
        "timestamp",
        "long",
    ]


def test_iceberg_table_opens_and_takes_rows(offline_aws, table, database, monkeypatch):
    """A table that CreateTable made is an Iceberg table that an engine can append to through the catalog."""
    import pyarrow as pa
    from pyiceberg.catalog.glue import GlueCatalog

    endpoint, region = offline_aws.state.endpoint, offline_aws.state.region
    keys = {"access-key-id": "test", "secret-access-key": "test", "region": region, "endpoint": endpoint}
    properties = {f"{part}.{key}": value for part in ("s3", "glue") for key, value in keys.items()}
    opened = GlueCatalog("offline", **properties).load_table((database, "employee"))
    row = {"name": ["Zoë"], "rank": [1]}
    empty = opened.schema().as_arrow().empty_table()
    rows = pa.table(row).select(["name", "rank"])
    opened.append(pa.concat_tables([empty, rows], promote_options="permissive").cast(empty.schema))
    assert opened.scan(selected_fields=("name",)).to_arrow().to_pylist() == [{"name": "Zoë"}]


def test_iceberg_create_needs_its_bucket_and_known_types(client, database, bucket):
    """CreateTable of an Iceberg table fails, and leaves no table, when the metadata cannot be written."""
    for location, hive_type in ((f"s3://{bucket}-missing/t", "string"), (f"s3://{bucket}/t", "map<int,int>")):
        with pytest.raises(ClientError, match="InvalidInputException"):
            client("glue").create_table(
                DatabaseName=database,
                TableInput={
                    "Name": "broken",
                    "StorageDescriptor": {
                        "Location": location,
                        "Columns": [{"Name": "a", "Type": hive_type}],
                    },
                },
                OpenTableFormatInput={"IcebergInput": {"MetadataOperation": "CREATE"}},
            )
    assert client("glue").get_tables(DatabaseName=database)["TableList"] == []


def test_update_with_an_old_version_is_refused(client, table, database):
    """UpdateTable with a VersionId that is not the table's answers ConcurrentModificationException."""
    glue = client("glue")
    version = table["VersionId"]
    glue.update_table(DatabaseName=database, TableInput=table_input(table, by="first"), VersionId=version)
    with pytest.raises(ClientError) as refused:
        glue.update_table(
            DatabaseName=database, TableInput=table_input(table, by="second"), VersionId=version
        )
    assert refused.value.response["Error"]["Code"] == "ConcurrentModificationException"
    assert glue.get_table(DatabaseName=database, Name="employee")["Table"]["Parameters"]["by"] == "first"


def test_update_without_a_version_wins(client, table, database):
    """UpdateTable without a VersionId is not checked."""
    glue = client("glue")
    for by in ("first", "second"):
        glue.update_table(DatabaseName=database, TableInput=table_input(table, by=by))
    assert glue.get_table(DatabaseName=database, Name="employee")["Table"]["Parameters"]["by"] == "second"


def test_one_of_many_writers_wins_each_round(client, table, database):
    """Of writers that read the same version, exactly one is acknowledged."""
    glue = client("glue")

    def write(number: int) -> bool:
        try:
            glue.update_table(
                DatabaseName=database,
                TableInput=table_input(table, by=str(number)),
                VersionId=table["VersionId"],
            )
        except glue.exceptions.ConcurrentModificationException:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(16))) == 1


def test_skip_archive_keeps_no_old_version(client, table, database):
    """UpdateTable with SkipArchive replaces the current version; without, the old one stays readable."""
    glue = client("glue")
    glue.update_table(DatabaseName=database, TableInput=table_input(table, n="2"))
    glue.update_table(DatabaseName=database, TableInput=table_input(table, n="3"), SkipArchive=True)
    versions = glue.get_table_versions(DatabaseName=database, TableName="employee")["TableVersions"]
    assert sorted(int(version["VersionId"]) for version in versions) == [1, 3]


def test_writers_that_read_again_after_a_refusal_lose_no_update(client, table, database):
    """Eight writers add one to a parameter four times each, each with the version it read: 32 in the end."""
    glue = client("glue")
    glue.update_table(DatabaseName=database, TableInput=table_input(table, sum="0"))
    refusals = []

    def add_one(_: int) -> None:
        while True:
            read = glue.get_table(DatabaseName=database, Name="employee")["Table"]
            changed = table_input(read, sum=str(int(read["Parameters"]["sum"]) + 1))
            try:
                glue.update_table(DatabaseName=database, TableInput=changed, VersionId=read["VersionId"])
            except glue.exceptions.ConcurrentModificationException:
                refusals.append(1)
            else:
                return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(32)))
    now = glue.get_table(DatabaseName=database, Name="employee")["Table"]

    assert now["Parameters"]["sum"] == "32"
    assert refusals, "no two writers met, so nothing was tried"


def test_an_archive_that_is_skipped_still_makes_a_new_version(client, table, database):
    """The version that SkipArchive drops is not given again: who read it is refused, as with an archive."""
    glue = client("glue")
    update = {"DatabaseName": database, "VersionId": table["VersionId"], "SkipArchive": True}
    glue.update_table(TableInput=table_input(table, by="first"), **update)
    with pytest.raises(glue.exceptions.ConcurrentModificationException):
        glue.update_table(TableInput=table_input(table, by="second"), **update)
    now = glue.get_table(DatabaseName=database, Name="employee")["Table"]

    assert int(now["VersionId"]) == int(table["VersionId"]) + 1
    assert now["Parameters"]["by"] == "first"


def test_updating_a_table_that_does_not_exist(client, database):
    """UpdateTable creates nothing: it answers EntityNotFoundException."""
    glue = client("glue")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.update_table(DatabaseName=database, TableInput={"Name": "nobody"}, VersionId="1")
