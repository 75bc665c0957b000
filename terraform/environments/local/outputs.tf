output "buckets" {
  description = "Bucket name per zone."
  value       = module.stack.buckets
}

output "databases" {
  description = "Glue database name per zone."
  value       = module.stack.databases
}

output "workflows" {
  description = "Glue workflow name per dataset."
  value       = module.stack.workflows
}

output "maintenance_jobs" {
  description = "Name of the maintenance job per dataset."
  value       = module.stack.maintenance_jobs
}

output "alert_topic_arn" {
  description = "ARN of the topic for people."
  value       = module.stack.alert_topic_arn
}

output "athena_workgroup" {
  description = "Athena workgroup of analysts and dashboards."
  value       = module.stack.athena_workgroup
}

output "athena_steward_workgroup" {
  description = "Athena workgroup of stewards; their results may hold names."
  value       = module.stack.athena_steward_workgroup
}

output "analyst_role_arn" {
  description = "Role that analysts assume."
  value       = module.stack.analyst_role_arn
}

output "steward_role_arn" {
  description = "Role that stewards assume."
  value       = module.stack.steward_role_arn
}

output "row_readers" {
  description = "Role and Athena workgroup of each reader of some rows."
  value       = module.stack.row_readers
}

output "athena_operator_workgroup" {
  description = "Athena workgroup of operators, who count quarantined rows."
  value       = module.stack.athena_operator_workgroup
}

output "operator_role_arn" {
  description = "Role that operators assume for backfills and replays."
  value       = module.stack.operator_role_arn
}

output "lambda_functions" {
  description = "Function name per role."
  value       = module.stack.lambda_functions
}

output "service_levels" {
  description = "Per dataset, the hours from one published batch to the next that its contract promises, and in what share of the time."
  value       = module.stack.service_levels
}
