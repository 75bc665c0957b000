# Athena keeps a view as a table without files, its query inside a comment, as Presto encodes it:
# https://docs.aws.amazon.com/athena/latest/ug/views-glue.html

locals {
  # The name that the catalog has for a type, and the one that the engine has.
  view_types = {
    bigint = "bigint"
    date   = "date"
    string = "varchar"
  }

  quarantine_by_reason = {
    columns = [
      { name = "batch_date", type = "date" },
      { name = "kind", type = "string" },
      { name = "reason", type = "string" },
      { name = "row_count", type = "bigint" },
      { name = "last_quarantined_on", type = "date" },
    ]

    sql = {
      for dataset in keys(var.datasets) : dataset => <<-SQL
        SELECT batch_date, kind, reason, count(*) AS row_count, max(CAST(quarantined_at AS date)) AS last_quarantined_on
        FROM "${aws_glue_catalog_database.zone["quarantine"].name}"."${dataset}"
        CROSS JOIN UNNEST(reasons) AS t (reason)
        GROUP BY batch_date, kind, reason
      SQL
    }
  }
}

# A row with two reasons is counted under both.
resource "aws_glue_catalog_table" "quarantine_by_reason" {
  for_each = var.datasets

  name          = "${each.key}_by_reason"
  database_name = aws_glue_catalog_database.zone["quarantine"].name
  description   = "How many rows of ${each.key} were kept out, per batch date and reason."
  table_type    = "VIRTUAL_VIEW"

  view_expanded_text = "/* Presto View */"

  view_original_text = format("/* Presto View: %s */", base64encode(jsonencode({
    originalSql = local.quarantine_by_reason.sql[each.key]
    catalog     = "awsdatacatalog"
    schema      = aws_glue_catalog_database.zone["quarantine"].name
    columns = [
      for column in local.quarantine_by_reason.columns : { name = column.name, type = local.view_types[column.type] }
    ]
  })))

  parameters = {
    comment     = "Presto View"
    presto_view = "true"
  }

  storage_descriptor {
    dynamic "columns" {
      for_each = local.quarantine_by_reason.columns

      content {
        name = columns.value.name
        type = columns.value.type
      }
    }
  }
}
