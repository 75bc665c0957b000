# Each table is created once, empty, because a column grant can only name a column that exists. From then on it is
# the jobs' table: they evolve the schema from the contract and move the pointer to the current metadata with every
# commit. Changes of columns that Terraform makes were reported not to reach Iceberg's metadata anyway
# (hashicorp/terraform-provider-aws#36641).

resource "aws_glue_catalog_table" "processed" {
  for_each = var.datasets

  name          = each.key
  database_name = aws_glue_catalog_database.zone["processed"].name
  description   = each.value.description
  table_type    = "EXTERNAL_TABLE"

  open_table_format_input {
    iceberg_input {
      metadata_operation = "CREATE"
      version            = "2"
    }
  }

  storage_descriptor {
    location = "s3://${var.buckets.processed}/warehouse/${each.key}"

    dynamic "columns" {
      for_each = concat(each.value.columns, var.lineage_columns)

      content {
        name    = columns.value.name
        type    = columns.value.type
        comment = columns.value.description
      }
    }
  }

  lifecycle {
    ignore_changes = [description, owner, parameters, retention, storage_descriptor, table_type]
  }

  # A table whose location is registered later would be read past the grants until then.
  depends_on = [aws_lakeformation_resource.warehouse]
}

resource "aws_glue_catalog_table" "quarantine" {
  for_each = var.datasets

  name          = each.key
  database_name = aws_glue_catalog_database.zone["quarantine"].name
  description   = "Rows kept out of ${each.key}, with the reasons."
  table_type    = "EXTERNAL_TABLE"

  open_table_format_input {
    iceberg_input {
      metadata_operation = "CREATE"
      version            = "2"
    }
  }

  storage_descriptor {
    location = "s3://${var.buckets.quarantine}/warehouse/${each.key}"

    dynamic "columns" {
      for_each = var.quarantine_columns

      content {
        name    = columns.value.name
        type    = columns.value.type
        comment = columns.value.description
      }
    }
  }

  lifecycle {
    ignore_changes = [description, owner, parameters, retention, storage_descriptor, table_type]
  }

  depends_on = [aws_lakeformation_resource.warehouse]
}
