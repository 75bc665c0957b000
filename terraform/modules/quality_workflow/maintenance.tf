# The maintenance of each dataset's two tables: a job on a schedule of its own, beside the workflow. It is the only one
# that removes files which a commit has named.

locals {
  maintained_zones = toset(["processed", "quarantine"])

  # "employee/processed" => { dataset = "employee", zone = "processed" }
  maintained_tables = {
    for pair in setproduct(keys(var.datasets), local.maintained_zones) :
    "${pair[0]}/${pair[1]}" => { dataset = pair[0], zone = pair[1] }
  }
}

data "aws_iam_policy_document" "maintain" {
  source_policy_documents = concat(
    [data.aws_iam_policy_document.job.json],
    [for zone in local.maintained_zones : data.aws_iam_policy_document.tables[zone].json],
  )

  statement {
    sid       = "FindFiles"
    actions   = ["s3:ListBucket"]
    resources = [for zone in local.maintained_zones : "${local.s3_arn}${var.buckets[zone]}"]
  }
}

resource "aws_lakeformation_permissions" "maintained_database" {
  for_each = local.maintained_zones

  principal   = aws_iam_role.job["maintain"].arn
  permissions = ["DESCRIBE"]

  database {
    name = var.databases[each.key]
  }
}

resource "aws_lakeformation_permissions" "maintained_table" {
  for_each = local.maintained_tables

  principal   = aws_iam_role.job["maintain"].arn
  permissions = ["ALTER", "DESCRIBE"]

  table {
    database_name = var.databases[each.value.zone]
    name          = var.tables[each.value.zone][each.value.dataset]
  }
}

resource "aws_lakeformation_permissions" "maintained_location" {
  for_each = local.maintained_zones

  principal   = aws_iam_role.job["maintain"].arn
  permissions = ["DATA_LOCATION_ACCESS"]

  data_location {
    arn = var.warehouse_arns[each.key]
  }
}

resource "aws_glue_trigger" "maintenance" {
  for_each = var.datasets

  name        = "${var.name_prefix}-${each.key}-maintenance"
  description = "Keeps the tables of ${each.key} in order, when its contract says."
  type        = "SCHEDULED"
  schedule    = each.value.maintenance_schedule

  actions {
    job_name = aws_glue_job.stage["${each.key}/maintain"].name
  }

  tags = each.value.tags
}
