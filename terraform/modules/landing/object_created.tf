# Two rules for one queue: a file in a dataset's folder, and a file in no dataset's, which a prefix filter alone would
# lose without a word.

locals {
  s3_arn          = "arn:${var.account.partition}:s3:::"
  events_arn      = "arn:${var.account.partition}:events:${var.account.region}:${var.account.id}"
  workflow_arns   = [for workflow in var.workflows : "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}:workflow/${workflow}"]
  landing_folders = [for dataset in sort(keys(var.datasets)) : "${dataset}/"]

  landing_rules = {
    object-created = {
      description = "A file landed in a dataset's folder of the raw zone."
      key         = [for folder in local.landing_folders : { prefix = folder }]
    }
    object-misplaced = {
      description = "A file landed in no dataset's folder of the raw zone; people hear of it."
      key         = [{ anything-but = { prefix = local.landing_folders } }]
    }
  }

  event_patterns = {
    for rule, landing in local.landing_rules : rule => jsonencode({
      source      = ["aws.s3"]
      detail-type = ["Object Created"]
      detail = {
        bucket = { name = [var.raw_bucket] }
        object = { key = landing.key }
      }
    })
  }
}

resource "aws_s3_bucket_notification" "raw" {
  bucket      = var.raw_bucket
  eventbridge = true
}

resource "aws_cloudwatch_event_rule" "landing" {
  for_each = local.landing_rules

  name          = "${var.name_prefix}-${each.key}"
  description   = each.value.description
  event_pattern = local.event_patterns[each.key]

  lifecycle {
    precondition {
      condition     = length(local.event_patterns[each.key]) <= 2048
      error_message = "There are more datasets than one EventBridge rule can name (2048 characters). Give each its own rule."
    }
  }
}

resource "aws_cloudwatch_event_target" "landing" {
  for_each = aws_cloudwatch_event_rule.landing

  rule = each.value.name
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

# Landings can be played again, to the first rule, after an outage of what listens: docs/landing.md says how.
resource "aws_cloudwatch_event_archive" "landings" {
  name             = "${var.name_prefix}-landings"
  description      = "Files that landed in a dataset's folder, for replay."
  event_source_arn = "${local.events_arn}:event-bus/default" # S3 sends to no other bus
  event_pattern    = local.event_patterns["object-created"]
  retention_days   = var.archive_retention_days
}
