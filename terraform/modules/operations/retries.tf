# A failed run is resumed after a wait: handle-failure puts a delayed message into the queue `retries`, and resume-run,
# which reads it, resumes the run. Every so often handle-failure sweeps: it looks for failures whose event never came.

locals {
  workflow_arns = [for dataset in sort(keys(var.datasets)) : "${local.glue_arn}:workflow/${var.name_prefix}-${dataset}"]

  # Written out, so that no function waits for a queue.
  retry_queue_role = "retries"
  retry_queue_name = "${var.name_prefix}-${local.retry_queue_role}"

  failure_environment = {
    NAME_PREFIX          = var.name_prefix
    ALERT_TOPIC_ARN      = aws_sns_topic.alerts.arn
    DOCS_BUCKET          = var.docs_bucket
    RAW_BUCKET           = var.raw_bucket
    DATASETS             = join(",", sort(keys(var.datasets)))
    RUNBOOKS_URL         = var.runbooks_url
    METRICS_NAMESPACE    = var.metrics_namespace
    RETRY_ATTEMPTS       = var.retries.attempts
    RETRY_BASE_SECONDS   = var.retries.base_seconds
    RETRY_FACTOR         = var.retries.factor
    RETRY_JITTER_PERCENT = var.retries.jitter_percent
    RETRY_QUEUE_NAME     = local.retry_queue_name
  }
}

data "aws_iam_policy_document" "resume_run" {
  statement {
    sid       = "ResumeRuns"
    actions   = ["glue:GetWorkflowRun", "glue:GetWorkflowRuns", "glue:ResumeWorkflowRun"]
    resources = local.workflow_arns
  }

  statement {
    sid       = "BeginAgainWhatGlueDoesNotResume"
    actions   = ["glue:StartWorkflowRun"]
    resources = local.workflow_arns
  }

  statement {
    sid       = "KeepCount"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${local.s3_arn}${var.docs_bucket}/operations/cases/*"] # one document per file version
  }

  statement {
    sid       = "ListDocs"
    actions   = ["s3:ListBucket"] # else a case that is not there is "forbidden" instead of "not found"
    resources = ["${local.s3_arn}${var.docs_bucket}"]
  }

  statement {
    sid       = "UseKeyOfDocs"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arn]
  }
}

module "resume_run" {
  source = "../queued_lambda"

  permissions_boundary_arn = var.permissions_boundary_arn

  name_prefix   = var.name_prefix
  account       = var.account
  function_role = "resume-run"
  queue_role    = local.retry_queue_role
  description   = "Resumes a failed run at the step that failed."
  handler       = "etl.lambdas.resume_run.handler"
  package       = var.package
  policy_json   = data.aws_iam_policy_document.resume_run.json
  environment   = local.failure_environment

  event_rule_names     = [] # handle-failure sends, by its own role
  kms_key_arn          = var.kms_key_arn
  alarm_topic_arns     = local.alarm_topic_arns
  runbooks_url         = var.runbooks_url
  reserved_concurrency = var.reserved_concurrency
  log_retention_days   = var.log_retention_days
}

module "sweeper_role" {
  source = "../scheduler_role"

  name                     = "${var.name_prefix}-sweeper"
  description              = "Asks the handle-failure function to look for what no event told of."
  account_id               = var.account.id
  function_arn             = module.handle_failure.function_arn
  dead_letter_queue_arn    = module.handle_failure.dead_letter_queue_arn
  kms_key_arn              = var.kms_key_arn
  permissions_boundary_arn = var.permissions_boundary_arn
}

resource "aws_scheduler_schedule" "sweep" {
  name        = "${var.name_prefix}-sweep"
  description = "Looks for failures whose event never came, and for alerts that SNS did not take."

  schedule_expression          = "rate(15 minutes)"
  schedule_expression_timezone = "UTC"
  kms_key_arn                  = var.kms_key_arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = module.handle_failure.function_arn
    role_arn = module.sweeper_role.arn
    input    = jsonencode({ sweep = true })

    # The next one does the same.
    retry_policy {
      maximum_event_age_in_seconds = 600
      maximum_retry_attempts       = 1
    }

    dead_letter_config {
      arn = module.handle_failure.dead_letter_queue_arn
    }
  }
}
