# Readers of some rows: of the rows that their contract names, the open columns. Each has a role of its own, because a
# principal with a filter and another grant on one table would see what either of them shows.

resource "aws_lakeformation_data_cells_filter" "rows" {
  for_each = var.row_readers

  table_data {
    name             = each.key
    table_catalog_id = var.account.id
    database_name    = var.databases.processed
    table_name       = var.tables.processed[each.value.dataset]
    column_names     = local.open_columns.processed[each.value.dataset]

    row_filter {
      filter_expression = "${each.value.column} = '${replace(each.value.value, "'", "''")}'"
    }
  }
}

resource "aws_lakeformation_permissions" "row_reader_database" {
  for_each = var.row_readers

  principal   = aws_iam_role.reader[each.key].arn
  permissions = ["DESCRIBE"]

  database {
    name = var.databases.processed
  }
}

resource "aws_lakeformation_permissions" "row_reader_rows" {
  for_each = var.row_readers

  principal   = aws_iam_role.reader[each.key].arn
  permissions = ["SELECT"]

  data_cells_filter {
    table_catalog_id = var.account.id
    database_name    = var.databases.processed
    table_name       = var.tables.processed[each.value.dataset]
    name             = aws_lakeformation_data_cells_filter.rows[each.key].table_data[0].name
  }
}
