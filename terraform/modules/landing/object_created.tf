locals {
  rule_name       = "${var.name_prefix}-object-created"
  s3_arn          = "arn:${var.account.partition}:s3:::"
  workflow_arns   = [for workflow in var.workflows : "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}:workflow/${workflow}"]
  landing_folders = [for dataset in sort(keys(var.datasets)) : "${dataset}/"]
}

resource "aws_s3_bucket_notification" "raw" {
  bucket      = var.raw_bucket
  eventbridge = true
}

resource "aws_cloudwatch_event_rule" "object_created" {
  name        = local.rule_name
  description = "A file landed in the raw zone; in no dataset's folder, people hear of it."

  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail = {
      bucket = { name = [var.raw_bucket] }
    }
  })
}

resource "aws_cloudwatch_event_target" "queue" {
  rule = aws_cloudwatch_event_rule.object_created.name
  arn  = module.start_workflow.queue_arn

  # What the queue does not take for a day ends beside what the function could not handle, in the same form.
  retry_policy {
    maximum_event_age_in_seconds = 24 * 3600
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = module.start_workflow.dead_letter_queue_arn
  }
}
