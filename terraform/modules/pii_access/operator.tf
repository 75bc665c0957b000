# Whoever is on call sees how many rows are in quarantine and why, and no row of any table.

resource "aws_lakeformation_permissions" "operator_database" {
  principal   = aws_iam_role.reader["operator"].arn
  permissions = ["DESCRIBE"]

  database {
    name = var.databases.quarantine
  }
}

resource "aws_lakeformation_permissions" "operator_quarantine" {
  for_each = var.tables.quarantine

  principal   = aws_iam_role.reader["operator"].arn
  permissions = ["SELECT"]

  table_with_columns {
    database_name = var.databases.quarantine
    name          = each.value
    column_names  = local.open_columns.quarantine[each.key]
  }
}
