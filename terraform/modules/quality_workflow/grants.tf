# The jobs read and write files under their IAM role; from Lake Formation they need to see their table and to move
# its pointer. SELECT or INSERT would only hand out credentials that they do not use.

resource "aws_lakeformation_permissions" "job_database" {
  for_each = local.stages

  principal   = aws_iam_role.job[each.key].arn
  permissions = ["DESCRIBE"]

  database {
    name = var.databases[local.written_zone[each.key]]
  }
}

resource "aws_lakeformation_permissions" "job_table" {
  for_each = { for key, job in local.jobs : key => job if contains(local.stages, job.stage) }

  principal   = aws_iam_role.job[each.value.stage].arn
  permissions = ["ALTER", "DESCRIBE"]

  table {
    database_name = var.databases[local.written_zone[each.value.stage]]
    name          = var.tables[local.written_zone[each.value.stage]][each.value.dataset]
  }
}

# A commit names the table's location, and naming a registered location needs this.
resource "aws_lakeformation_permissions" "job_location" {
  for_each = local.stages

  principal   = aws_iam_role.job[each.key].arn
  permissions = ["DATA_LOCATION_ACCESS"]

  data_location {
    arn = var.warehouse_arns[local.written_zone[each.key]]
  }
}
