output "alert_topic_arn" {
  description = "ARN of the topic for people."
  value       = aws_sns_topic.alerts.arn
}

output "alarm_topic_arns" {
  description = "ARNs of the topics that an alarm is sent to, per severity: critical or warning."
  value       = local.alarm_topic_arns
}

output "function_names" {
  description = "Name of the function that handles failures, and of that which resumes runs."
  value = {
    handle-failure = module.handle_failure.function_name
    resume-run     = module.resume_run.function_name
  }
}

output "probe_function_name" {
  description = "Name of the function that tells how fresh the datasets are."
  value       = aws_lambda_function.probe_freshness.function_name
}
