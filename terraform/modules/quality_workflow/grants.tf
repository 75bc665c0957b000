# The jobs read and write files under their IAM role; from Lake Formation they need to see their tables and to move
# their pointers. SELECT or INSERT would only hand out credentials that they do not use.

locals {
  # "merge/quarantine" => { stage = "merge", zone = "quarantine" }
  written = merge([
    for stage, zones in local.written_zones : { for zone in zones : "${stage}/${zone}" => { stage = stage, zone = zone } }
  ]...)

  written_tables = merge([
    for key, pair in local.written : { for dataset in local.datasets : "${dataset}/${key}" => merge(pair, { dataset = dataset }) }
  ]...)
}

resource "aws_lakeformation_permissions" "job_database" {
  for_each = local.written

  principal   = aws_iam_role.job[each.value.stage].arn
  permissions = ["DESCRIBE"]

  database {
    name = var.databases[each.value.zone]
  }
}

resource "aws_lakeformation_permissions" "job_table" {
  for_each = local.written_tables

  principal   = aws_iam_role.job[each.value.stage].arn
  permissions = ["ALTER", "DESCRIBE"]

  table {
    database_name = var.databases[each.value.zone]
    name          = var.tables[each.value.zone][each.value.dataset]
  }
}

# A commit names the table's location, and naming a registered location needs this.
resource "aws_lakeformation_permissions" "job_location" {
  for_each = local.written

  principal   = aws_iam_role.job[each.value.stage].arn
  permissions = ["DATA_LOCATION_ACCESS"]

  data_location {
    arn = var.warehouse_arns[each.value.zone]
  }
}
