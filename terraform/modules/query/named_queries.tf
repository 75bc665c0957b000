resource "aws_athena_named_query" "open_columns" {
  for_each = var.open_columns

  name        = "${each.key}: newest rows"
  description = "The columns of ${each.key} that are open to analysts, newest batch first."
  workgroup   = aws_athena_workgroup.reader["analyst"].name
  database    = var.databases.processed

  query = <<-SQL
    SELECT ${join(", ", [for column in each.value : "\"${column}\""])}
    FROM "${each.key}"
    ORDER BY "_batch_date" DESC
    LIMIT 100
  SQL
}

resource "aws_athena_named_query" "quarantine_by_reason" {
  for_each = var.open_columns

  name        = "${each.key}: quarantine by reason"
  description = "How many rows of ${each.key} were kept out, per batch and reason."
  workgroup   = aws_athena_workgroup.reader["steward"].name
  database    = var.databases.quarantine

  query = <<-SQL
    SELECT batch_date, kind, reason, count(*) AS "rows"
    FROM "${each.key}"
    CROSS JOIN UNNEST(reasons) AS t (reason)
    GROUP BY batch_date, kind, reason
    ORDER BY batch_date DESC, "rows" DESC
  SQL
}
