output "alert_topic_arn" {
  description = "ARN of the topic for people."
  value       = aws_sns_topic.alerts.arn
}

output "function_name" {
  description = "Name of the function that handles failures."
  value       = module.handle_failure.function_name
}
