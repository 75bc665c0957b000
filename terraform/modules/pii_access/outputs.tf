output "role_arns" {
  description = "Role ARN of each kind of reader."
  value       = { for reader, role in aws_iam_role.reader : reader => role.arn }
}

output "role_names" {
  description = "Role name of each kind of reader."
  value       = { for reader, role in aws_iam_role.reader : reader => role.name }
}

output "open_columns" {
  description = "Columns that analysts may read, per dataset."
  value       = local.open_columns.processed
}
