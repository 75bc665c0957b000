# What runs leave behind, as JSON in the docs zone. Partitions are projected: nothing has to crawl, and a record can be
# queried as soon as it is written. They hold no value of a row, so analysts and stewards read them alike.

locals {
  operations_folder = "operations"

  folder_comments = {
    dataset = "The dataset of the run."
    month   = "Month of the batch date, as 2026-11: name it in a query, and only its records are read."
  }

  projections = {
    dataset = {
      "projection.dataset.type"   = "enum"
      "projection.dataset.values" = join(",", sort(keys(var.datasets)))
    }
    month = {
      "projection.month.type"          = "date"
      "projection.month.format"        = "yyyy-MM"
      "projection.month.range"         = "2000-01,NOW+1DAYS" # a batch date may be tomorrow's
      "projection.month.interval"      = "1"
      "projection.month.interval.unit" = "MONTHS"
    }
  }
}

resource "aws_glue_catalog_table" "operations" {
  for_each = var.operations_tables

  name          = each.key
  database_name = aws_glue_catalog_database.zone["operations"].name
  description   = each.value.description
  table_type    = "EXTERNAL_TABLE"

  parameters = merge(
    {
      "EXTERNAL"                  = "TRUE"
      "classification"            = "json"
      "projection.enabled"        = "true"
      "storage.location.template" = join("/", concat(["s3://${var.buckets.docs}/${local.operations_folder}/${each.key}"], [for folder in each.value.folders : "$${${folder}}"], [""]))
    },
    merge([for folder in each.value.folders : local.projections[folder]]...),
  )

  dynamic "partition_keys" {
    for_each = each.value.folders

    content {
      name    = partition_keys.value
      type    = "string"
      comment = local.folder_comments[partition_keys.value]
    }
  }

  storage_descriptor {
    location      = "s3://${var.buckets.docs}/${local.operations_folder}/${each.key}/"
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    # Athena's other JSON reader, OpenX's, is documented to lose and to double rows.
    ser_de_info {
      serialization_library = "org.apache.hive.hcatalog.data.JsonSerDe"
    }

    dynamic "columns" {
      for_each = each.value.columns

      content {
        name    = columns.value.name
        type    = columns.value.type
        comment = columns.value.description
      }
    }
  }

  # A table whose location is registered later would be read past the grants until then.
  depends_on = [aws_lakeformation_resource.operations]
}

resource "aws_lakeformation_resource" "operations" {
  arn      = "${local.s3_arn}${var.buckets.docs}/${local.operations_folder}"
  role_arn = aws_iam_role.lake_formation.arn

  depends_on = [
    aws_iam_role_policy.lake_formation,
    aws_lakeformation_data_lake_settings.account,
  ]
}
