locals {
  rule_name = "${var.name_prefix}-job-state"
  s3_arn    = "arn:${var.account.partition}:s3:::"
  glue_arn  = "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}"
}

resource "aws_cloudwatch_event_rule" "job_state" {
  name        = local.rule_name
  description = "A job of ours did not succeed."

  event_pattern = jsonencode({
    source      = ["aws.glue"]
    detail-type = ["Glue Job State Change"]
    detail = {
      jobName = var.job_names
      state   = ["ERROR", "FAILED", "STOPPED", "TIMEOUT"]
    }
  })
}

resource "aws_cloudwatch_event_target" "queue" {
  rule = aws_cloudwatch_event_rule.job_state.name
  arn  = module.handle_failure.queue_arn
}

data "aws_iam_policy_document" "handle_failure" {
  statement {
    sid       = "ReadJobRuns"
    actions   = ["glue:GetJobRun"]
    resources = [for job in var.job_names : "${local.glue_arn}:job/${job}"]
  }

  statement {
    sid       = "ReadGateReports"
    actions   = ["s3:GetObject"]
    resources = ["${local.s3_arn}${var.docs_bucket}/runs/*"] # a folder per dataset and run
  }

  statement {
    sid       = "ListDocs"
    actions   = ["s3:ListBucket"] # else a report that is not there is "forbidden" instead of "not found"
    resources = ["${local.s3_arn}${var.docs_bucket}"]
  }

  statement {
    sid       = "TellPeople"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alerts.arn]
  }

  statement {
    sid       = "UseKeyOfTopic"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arn]
  }
}

module "handle_failure" {
  source = "../queued_lambda"

  name_prefix   = var.name_prefix
  account       = var.account
  function_role = "handle-failure"
  queue_role    = "failures"
  description   = "Calls people when a job failed."
  handler       = "etl.lambdas.handle_failure.handler"
  package       = var.package
  policy_json   = data.aws_iam_policy_document.handle_failure.json

  environment = {
    NAME_PREFIX     = var.name_prefix
    ALERT_TOPIC_ARN = aws_sns_topic.alerts.arn
    DOCS_BUCKET     = var.docs_bucket
    RAW_BUCKET      = var.raw_bucket
  }

  event_rule_name      = local.rule_name
  kms_key_arn          = var.kms_key_arn
  alert_topic_arn      = aws_sns_topic.alerts.arn
  reserved_concurrency = var.reserved_concurrency
  log_retention_days   = var.log_retention_days
}
