output "workflows" {
  description = "Workflow name per dataset, once its triggers are in place."
  value       = { for dataset, workflow in aws_glue_workflow.dataset : dataset => workflow.name }

  depends_on = [
    aws_glue_trigger.gate_succeeded,
    aws_glue_trigger.merge_succeeded,
    aws_glue_trigger.start,
  ]
}

output "job_names" {
  description = "Names of all jobs; known before the jobs exist."
  value       = sort(values(local.job_names))
}

output "maintenance_jobs" {
  description = "Name of the maintenance job per dataset, once its schedule is in place."
  value       = { for dataset in keys(var.datasets) : dataset => aws_glue_job.stage["${dataset}/maintain"].name }

  depends_on = [aws_glue_trigger.maintenance]
}

output "log_groups" {
  description = "Names of the log groups of the jobs."
  value       = sort(values(aws_cloudwatch_log_group.jobs)[*].name)
}
