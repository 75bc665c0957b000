# What a dashboard begins with. Each names open columns only, so that an analyst may run it, but for the steward's.

locals {
  # "employee/department" => { dataset = "employee", column = "department" }, for each open text column of a contract.
  counted_columns = merge([
    for dataset, columns in var.columns : {
      for column in columns : "${dataset}/${column.name}" => { dataset = dataset, column = column.name }
      if column.type == "string" && contains(var.open_columns[dataset], column.name)
    }
  ]...)

  analyst_queries = merge(
    {
      for dataset, columns in var.open_columns : "${dataset}: newest rows" => {
        description = "The columns of ${dataset} that are open to analysts, newest batch first."
        sql         = <<-SQL
          SELECT ${join(", ", [for column in columns : "\"${column}\""])}
          FROM "${dataset}"
          ORDER BY "_batch_date" DESC
          LIMIT 100
        SQL
      }
    },
    {
      for counted in local.counted_columns : "${counted.dataset}: rows by ${counted.column}" => {
        description = "How many rows of ${counted.dataset} there are per ${counted.column}, the most first."
        sql         = <<-SQL
          SELECT "${counted.column}", count(*) AS row_count
          FROM "${counted.dataset}"
          GROUP BY "${counted.column}"
          ORDER BY row_count DESC
          LIMIT 100
        SQL
      }
    },
    {
      for dataset in keys(var.open_columns) : "${dataset}: rows per batch date" => {
        description = "Which day's batch last wrote how many rows of ${dataset}, and in how many files."
        sql         = <<-SQL
          SELECT "_batch_date", count(*) AS row_count, count(DISTINCT "_batch_id") AS batches
          FROM "${dataset}"
          GROUP BY "_batch_date"
          ORDER BY "_batch_date" DESC
          LIMIT 100
        SQL
      }
    },
    {
      for dataset in keys(var.open_columns) : "${dataset}: freshness" => {
        description = "When a row of ${dataset} was last written. A batch that changes nothing writes none; the alarm counts it."
        sql         = <<-SQL
          SELECT
            max("_batch_date") AS newest_batch_date,
            max("_ingested_at") AS last_written_at,
            date_diff('hour', max("_ingested_at"), CAST(current_timestamp AT TIME ZONE 'UTC' AS timestamp)) AS hours_since
          FROM "${dataset}"
        SQL
      }
    },
  )

  steward_queries = {
    for dataset, view in var.quarantine_views : "${dataset}: quarantine by reason" => {
      description = "How many rows of ${dataset} were kept out, per batch and reason."
      sql         = <<-SQL
        SELECT *
        FROM "${view}"
        ORDER BY batch_date DESC, row_count DESC
      SQL
    }
  }
}

resource "aws_athena_named_query" "analyst" {
  for_each = local.analyst_queries

  name        = each.key
  description = each.value.description
  workgroup   = aws_athena_workgroup.reader["analyst"].name
  database    = var.databases.processed
  query       = each.value.sql
}

resource "aws_athena_named_query" "steward" {
  for_each = local.steward_queries

  name        = each.key
  description = each.value.description
  workgroup   = aws_athena_workgroup.reader["steward"].name
  database    = var.databases.quarantine
  query       = each.value.sql
}
