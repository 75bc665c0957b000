"""Lake Formation's grants, and what they let a principal read."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from scripts.offline_aws.lake_formation import readable

COLUMNS = ["first_name", "age", "salary"]


@pytest.fixture
def governed(client, database):
    """A table that only Lake Formation opens: the default grant to IAMAllowedPrincipals is revoked."""
    columns = [{"Name": column, "Type": "string"} for column in COLUMNS]
    client("glue").create_table(
        DatabaseName=database, TableInput={"Name": "employee", "StorageDescriptor": {"Columns": columns}}
    )
    client("lakeformation").revoke_permissions(
        Principal={"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"},
        Resource={"Table": {"DatabaseName": database, "Name": "employee"}},
        Permissions=["ALL"],
    )
    return database


@pytest.fixture
def analyst(role):
    return role("athena", "analyst")


def the_table(database, **more):
    return {"DatabaseName": database, "Name": "employee", **more}


def grant(client, principal, resource, *permissions, grantable=()):
    client("lakeformation").grant_permissions(
        Principal={"DataLakePrincipalIdentifier": principal},
        Resource=resource,
        Permissions=list(permissions),
        PermissionsWithGrantOption=list(grantable),
    )


def revoke(client, principal, resource, *permissions):
    client("lakeformation").revoke_permissions(
        Principal={"DataLakePrincipalIdentifier": principal},
        Resource=resource,
        Permissions=list(permissions),
    )


def listed(client, principal, database):
    answer = client("lakeformation").list_permissions(
        Principal={"DataLakePrincipalIdentifier": principal}, Resource={"Table": the_table(database)}
    )
    return [(entry["Resource"], entry["Permissions"]) for entry in answer["PrincipalResourcePermissions"]]


def columns_of(principal, database):
    return list(readable(principal, database, "employee", COLUMNS).columns)


def test_table_select_is_listed_apart(client, governed, analyst):
    """SELECT granted on a table comes back as TableWithColumns with a wildcard, the rest as Table."""
    grant(client, analyst, {"Table": the_table(governed)}, "SELECT", "DESCRIBE")
    where = {"CatalogId": "123456789012", **the_table(governed)}
    assert listed(client, analyst, governed) == [
        ({"TableWithColumns": {**where, "ColumnWildcard": {}}}, ["SELECT"]),
        ({"Table": where}, ["DESCRIBE"]),
    ]
    assert columns_of(analyst, governed) == COLUMNS


def test_included_columns(client, governed, analyst):
    """A grant on named columns opens those, is listed as one entry, and nothing else opens."""
    resource = {"TableWithColumns": the_table(governed, ColumnNames=["salary", "age"])}
    grant(client, analyst, resource, "SELECT")
    [(entry, permissions)] = listed(client, analyst, governed)
    assert sorted(entry["TableWithColumns"]["ColumnNames"]) == ["age", "salary"]
    assert permissions == ["SELECT"]
    assert columns_of(analyst, governed) == ["age", "salary"]


def test_excluded_columns(client, governed, analyst):
    """A wildcard with exclusions opens every column but those."""
    wildcard = {"ExcludedColumnNames": ["first_name"]}
    grant(client, analyst, {"TableWithColumns": the_table(governed, ColumnWildcard=wildcard)}, "SELECT")
    assert columns_of(analyst, governed) == ["age", "salary"]
    assert columns_of(analyst + "-other", governed) == []


def test_only_select_goes_on_columns(client, governed, analyst):
    """Of all permissions only SELECT can be granted on named columns."""
    resource = {"TableWithColumns": the_table(governed, ColumnNames=["age"])}
    with pytest.raises(ClientError, match="InvalidInputException"):
        grant(client, analyst, resource, "SELECT", "DESCRIBE")


def test_revoke_takes_away_what_was_granted(client, governed, analyst):
    """Revoking some of the granted columns leaves the others."""
    grant(client, analyst, {"TableWithColumns": the_table(governed, ColumnNames=COLUMNS)}, "SELECT")
    first = {"TableWithColumns": the_table(governed, ColumnNames=["first_name"])}
    revoke(client, analyst, first, "SELECT")
    assert columns_of(analyst, governed) == ["age", "salary"]


@pytest.mark.parametrize(
    "resource",
    [
        lambda database: {"Table": the_table(database)},
        lambda database: {"TableWithColumns": the_table(database, ColumnNames=["age"])},
        lambda database: {"Database": {"Name": database}},
    ],
)
def test_revoke_of_nothing_is_refused(client, governed, analyst, resource):
    """A revoke of what the grantee does not hold answers "No permissions revoked. Grantee has no …"."""
    permission = "DESCRIBE" if "Database" in resource(governed) else "SELECT"
    grant(client, analyst, resource(governed), permission)
    revoke(client, analyst, resource(governed), permission)
    with pytest.raises(ClientError, match=r"No permissions revoked\. Grantee has no permissions"):
        revoke(client, analyst, resource(governed), permission)
    assert columns_of(analyst, governed) == []


def test_a_session_holds_what_its_role_holds(client, governed, analyst):
    """Grants to a role are those of its sessions."""
    grant(client, analyst, {"TableWithColumns": the_table(governed, ColumnNames=["age"])}, "SELECT")
    session = analyst.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/someone"
    assert columns_of(session, governed) == ["age"]


def test_all_tables_of_a_database(client, governed, analyst):
    """SELECT on a table wildcard opens every table of the database, and is listed as ALL_TABLES."""
    resource = {"Table": {"DatabaseName": governed, "TableWildcard": {}}}
    grant(client, analyst, resource, "SELECT", "DESCRIBE")
    assert columns_of(analyst, governed) == COLUMNS
    answer = client("lakeformation").list_permissions(
        Principal={"DataLakePrincipalIdentifier": analyst}, Resource=resource
    )
    names = [next(iter(e["Resource"].values()))["Name"] for e in answer["PrincipalResourcePermissions"]]
    assert names == ["ALL_TABLES", "ALL_TABLES"]


def test_default_permissions_open_a_new_table(client, database, analyst):
    """Until the data lake settings say otherwise, IAMAllowedPrincipals get every new table."""
    columns = [{"Name": column, "Type": "string"} for column in COLUMNS]
    client("glue").create_table(
        DatabaseName=database, TableInput={"Name": "employee", "StorageDescriptor": {"Columns": columns}}
    )
    assert columns_of(analyst, database) == COLUMNS


def test_settings_without_defaults_close_new_databases(client, name, analyst):
    """Databases created after the defaults were emptied keep their new tables closed."""
    lake, glue = client("lakeformation"), client("glue")
    before = lake.get_data_lake_settings()["DataLakeSettings"]
    emptied = {**before, "CreateDatabaseDefaultPermissions": [], "CreateTableDefaultPermissions": []}
    lake.put_data_lake_settings(DataLakeSettings=emptied)
    try:
        glue.create_database(DatabaseInput={"Name": name})
        columns = [{"Name": column, "Type": "string"} for column in COLUMNS]
        descriptor = {"Columns": columns}
        glue.create_table(DatabaseName=name, TableInput={"Name": "employee", "StorageDescriptor": descriptor})
        assert columns_of(analyst, name) == []
    finally:
        lake.put_data_lake_settings(DataLakeSettings=before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Name": "nobody"}, "Table not found"),
        ({"DatabaseName": "nowhere"}, "Database not found"),
        ({"ColumnNames": ["shoe_size"]}, "non-existent column"),
    ],
)
def test_grants_on_what_is_missing_are_refused(client, governed, analyst, change, message):
    """A grant names a database, a table and columns that exist."""
    resource = {"TableWithColumns": {**the_table(governed, ColumnNames=["age"]), **change}}
    with pytest.raises(ClientError, match=message):
        grant(client, analyst, resource, "SELECT")


def test_grants_to_nobody_are_refused(client, governed):
    """A grant to a role that does not exist answers "Invalid principal", which Terraform waits out."""
    with pytest.raises(ClientError, match="Invalid principal"):
        grant(client, "arn:aws:iam::123456789012:role/nobody", {"Table": the_table(governed)}, "SELECT")


def test_dropping_a_table_drops_its_grants(client, governed, analyst):
    """Grants do not outlive their table."""
    grant(client, analyst, {"Table": the_table(governed)}, "SELECT")
    client("glue").delete_table(DatabaseName=governed, Name="employee")
    assert columns_of(analyst, governed) == []


def test_data_cells_filters(client, governed, analyst):
    """A data cells filter can be created, read, changed, granted and deleted; its columns open."""
    lake = client("lakeformation")
    cells = {
        "TableCatalogId": "123456789012",
        "DatabaseName": governed,
        "TableName": "employee",
        "Name": "young",
        "RowFilter": {"FilterExpression": "age < 30"},
        "ColumnNames": ["age"],
    }
    identity = {key: cells[key] for key in ("TableCatalogId", "DatabaseName", "TableName", "Name")}
    lake.create_data_cells_filter(TableData=cells)
    grant(client, analyst, {"DataCellsFilter": identity}, "SELECT")
    assert columns_of(analyst, governed) == ["age"]
    lake.update_data_cells_filter(TableData={**cells, "ColumnNames": ["age", "salary"]})
    assert columns_of(analyst, governed) == ["age", "salary"]
    assert len(lake.list_data_cells_filter(Table=the_table(governed))["DataCellsFilters"]) == 1
    lake.delete_data_cells_filter(**identity)
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        lake.get_data_cells_filter(**identity)
    assert columns_of(analyst, governed) == []


def test_registered_locations_keep_their_options(client, analyst, name):
    """DescribeResource answers the options that RegisterResource was given."""
    arn = f"arn:aws:s3:::{name}"
    client("lakeformation").register_resource(ResourceArn=arn, RoleArn=analyst, HybridAccessEnabled=True)
    described = client("lakeformation").describe_resource(ResourceArn=arn)["ResourceInfo"]
    assert (described["RoleArn"], described["HybridAccessEnabled"]) == (analyst, True)


def test_a_tag_is_taken_away_once_and_again(client, governed):
    """Columns lose their tags one by one, and a request that comes again finds nothing to do."""
    lake_formation = client("lakeformation")
    tag = {"TagKey": "classification", "TagValues": ["pii"]}
    lake_formation.create_lf_tag(**tag)
    columns = the_table(governed, ColumnNames=["first_name", "age"])
    lake_formation.add_lf_tags_to_resource(Resource={"TableWithColumns": columns}, LFTags=[tag])
    for column in ("first_name", "first_name", "age"):
        one = the_table(governed, ColumnNames=[column])
        gone = lake_formation.remove_lf_tags_from_resource(Resource={"TableWithColumns": one}, LFTags=[tag])
        assert gone.get("Failures", []) == []
    both = lake_formation.get_resource_lf_tags(Resource={"TableWithColumns": columns})
    assert all(not column["LFTags"] for column in both.get("LFTagsOnColumns", []))
