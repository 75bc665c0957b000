output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.function.function_name
}

output "function_arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.function.arn
}

output "queue_arn" {
  description = "ARN of the queue that the function reads."
  value       = aws_sqs_queue.work.arn
}

output "dead_letter_queue_arn" {
  description = "ARN of the queue of messages that could not be handled."
  value       = aws_sqs_queue.dead_letter.arn
}
