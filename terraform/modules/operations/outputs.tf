output "alert_topic_arn" {
  description = "ARN of the topic for people."
  value       = aws_sns_topic.alerts.arn
}

output "function_name" {
  description = "Name of the function that handles failures."
  value       = module.handle_failure.function_name
}

output "probe_function_name" {
  description = "Name of the function that tells how fresh the datasets are."
  value       = aws_lambda_function.probe_freshness.function_name
}
