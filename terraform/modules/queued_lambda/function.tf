resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${var.name_prefix}-${var.function_role}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_lambda_function" "function" {
  #checkov:skip=CKV_AWS_117:It calls AWS's public APIs alone and listens to nobody; a VPC would add endpoints, their cost and their outages.
  #checkov:skip=CKV_AWS_272:Its zip comes from the artifacts bucket, which only the deployment may write; whoever could replace it there could change the signing configuration too.

  function_name = "${var.name_prefix}-${var.function_role}"
  description   = var.description
  role          = aws_iam_role.function.arn
  handler       = var.handler
  runtime       = "python3.13"
  architectures = ["arm64"]
  s3_bucket     = var.package.bucket
  s3_key        = var.package.key
  timeout       = var.timeout_seconds
  memory_size   = var.memory_mb
  kms_key_arn   = var.kms_key_arn

  reserved_concurrent_executions = var.reserved_concurrency

  environment {
    variables = var.environment
  }

  # Catches what invokes the function directly (the nightly schedule); messages of the queue have the queue's own.
  dead_letter_config {
    target_arn = aws_sqs_queue.dead_letter.arn
  }

  tracing_config {
    mode = "Active"
  }

  depends_on = [
    aws_cloudwatch_log_group.function, # else Lambda makes one without key and retention
    aws_iam_role_policy.function,
  ]
}

resource "aws_lambda_event_source_mapping" "queue" {
  event_source_arn = aws_sqs_queue.work.arn
  function_name    = aws_lambda_function.function.arn

  # One message a run: what fails is retried alone. Files and failures come by the dozen, not by the thousand.
  batch_size              = 1
  function_response_types = ["ReportBatchItemFailures"]
}
