output "role_arns" {
  description = "Role ARN of analysts and of stewards."
  value       = { for reader, role in aws_iam_role.reader : reader => role.arn }
}

output "open_columns" {
  description = "Columns that analysts may read, per dataset."
  value       = local.open_columns
}
