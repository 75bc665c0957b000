# Permissions are named, never ALL, and a principal has one form of grant per table: Lake Formation answers both in
# another form than they were asked for, which makes every plan a change.

resource "aws_lakeformation_permissions" "analyst_database" {
  principal   = aws_iam_role.reader["analyst"].arn
  permissions = ["DESCRIBE"]

  database {
    name = var.databases.processed
  }
}

resource "aws_lakeformation_permissions" "operations_database" {
  for_each = toset(["analyst", "operator"])

  principal   = aws_iam_role.reader[each.key].arn
  permissions = ["DESCRIBE"]

  database {
    name = var.databases.operations
  }
}

resource "aws_lakeformation_permissions" "analyst_columns" {
  for_each = var.tables.processed

  principal   = aws_iam_role.reader["analyst"].arn
  permissions = ["SELECT"]

  table_with_columns {
    database_name = var.databases.processed
    name          = each.value
    column_names  = local.open_columns.processed[each.key]
  }
}

resource "aws_lakeformation_permissions" "steward_database" {
  for_each = toset(["processed", "quarantine", "operations"]) # not raw: nobody queries files as received

  principal   = aws_iam_role.reader["steward"].arn
  permissions = ["DESCRIBE"]

  database {
    name = var.databases[each.key]
  }
}

resource "aws_lakeformation_permissions" "steward_processed" {
  for_each = var.tables.processed

  principal   = aws_iam_role.reader["steward"].arn
  permissions = ["SELECT"]

  table_with_columns {
    database_name = var.databases.processed
    name          = each.value
    wildcard      = true
  }
}

resource "aws_lakeformation_permissions" "steward_quarantine" {
  for_each = var.tables.quarantine

  principal   = aws_iam_role.reader["steward"].arn
  permissions = ["SELECT"]

  table_with_columns {
    database_name = var.databases.quarantine
    name          = each.value
    wildcard      = true
  }
}

# The records of runs hold no value of a row.
resource "aws_lakeformation_permissions" "operations" {
  for_each = {
    for reader_table in setproduct(["analyst", "operator", "steward"], keys(var.tables.operations)) :
    join(".", reader_table) => { reader = reader_table[0], table = var.tables.operations[reader_table[1]] }
  }

  principal   = aws_iam_role.reader[each.value.reader].arn
  permissions = ["SELECT"]

  table_with_columns {
    database_name = var.databases.operations
    name          = each.value.table
    wildcard      = true
  }
}

# Athena asks for the view and for what it reads, so this alone shows nobody a row.
resource "aws_lakeformation_permissions" "steward_quarantine_views" {
  for_each = var.quarantine_views

  principal   = aws_iam_role.reader["steward"].arn
  permissions = ["SELECT"]

  table_with_columns {
    database_name = var.databases.quarantine
    name          = each.value
    wildcard      = true
  }
}
