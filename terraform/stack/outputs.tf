output "buckets" {
  description = "Bucket name per zone."
  value       = module.storage.buckets
}

output "databases" {
  description = "Glue database name per zone."
  value       = module.catalog.databases
}

output "workflows" {
  description = "Glue workflow name per dataset."
  value       = module.quality_workflow.workflows
}

output "maintenance_jobs" {
  description = "Name of the maintenance job per dataset."
  value       = module.quality_workflow.maintenance_jobs
}

output "alert_topic_arn" {
  description = "ARN of the topic for people."
  value       = module.operations.alert_topic_arn
}

output "athena_workgroup" {
  description = "Athena workgroup of analysts and dashboards."
  value       = module.query.workgroups["analyst"]
}

output "athena_steward_workgroup" {
  description = "Athena workgroup of stewards; their results may hold names."
  value       = module.query.workgroups["steward"]
}

output "analyst_role_arn" {
  description = "Role that analysts assume."
  value       = module.pii_access.role_arns["analyst"]
}

output "steward_role_arn" {
  description = "Role that stewards assume."
  value       = module.pii_access.role_arns["steward"]
}

output "row_readers" {
  description = "Role and Athena workgroup of each reader of some rows."
  value = {
    for reader in keys(local.row_readers) : reader => {
      role_arn  = module.pii_access.role_arns[reader]
      workgroup = module.query.workgroups[reader]
    }
  }
}

output "athena_operator_workgroup" {
  description = "Athena workgroup of operators, who count quarantined rows."
  value       = module.query.workgroups["operator"]
}

output "operator_role_arn" {
  description = "Role that operators assume for backfills and replays."
  value       = module.pii_access.role_arns["operator"]
}

output "lambda_functions" {
  description = "Function name per role."
  value = merge(module.operations.function_names, {
    start-workflow  = module.landing.function_name
    probe-freshness = module.operations.probe_function_name
  })
}

output "service_levels" {
  description = "Per dataset, the hours from one published batch to the next that its contract promises, and in what share of the time."
  value       = { for dataset, facts in local.datasets : dataset => { freshness_hours = facts.freshness_hours, availability_percent = facts.availability_percent } }
}
