locals {
  # What each rule of failures listens to; a job's end by itself or by others, and a crawl that ended badly.
  failure_rules = {
    job-state = {
      description = "A job of ours did not succeed."
      detail_type = "Glue Job State Change"
      detail      = { jobName = var.job_names, state = ["ERROR", "FAILED", "STOPPED", "TIMEOUT"] }
    }
    crawler-failed = {
      description = "A crawler of ours failed."
      detail_type = "Glue Crawler State Change"
      detail      = { crawlerName = var.crawler_names, state = ["Failed"] } # Glue writes it like this
    }
  }

  s3_arn   = "arn:${var.account.partition}:s3:::"
  glue_arn = "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}"
}

resource "aws_cloudwatch_event_rule" "failure" {
  for_each = local.failure_rules

  name        = "${var.name_prefix}-${each.key}"
  description = each.value.description

  event_pattern = jsonencode({
    source      = ["aws.glue"]
    detail-type = [each.value.detail_type]
    detail      = each.value.detail
  })
}

resource "aws_cloudwatch_event_target" "failures" {
  for_each = aws_cloudwatch_event_rule.failure

  rule = each.value.name
  arn  = module.handle_failure.queue_arn

  # What the queue does not take for a day ends beside what the function could not handle, in the same form.
  retry_policy {
    maximum_event_age_in_seconds = 24 * 3600
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = module.handle_failure.dead_letter_queue_arn
  }
}

data "aws_iam_policy_document" "handle_failure" {
  statement {
    sid       = "ReadJobRuns"
    actions   = ["glue:GetJobRun"]
    resources = [for job in var.job_names : "${local.glue_arn}:job/${job}"]
  }

  statement {
    sid       = "FollowWorkflowRuns"
    actions   = ["glue:GetWorkflowRun", "glue:GetWorkflowRuns"]
    resources = local.workflow_arns
  }

  statement {
    sid       = "QueueRetries"
    actions   = ["sqs:GetQueueUrl", "sqs:SendMessage"]
    resources = ["arn:${var.account.partition}:sqs:${var.account.region}:${var.account.id}:${local.retry_queue_name}"]
  }

  statement {
    sid     = "KeepRecords"
    actions = ["s3:GetObject", "s3:PutObject"]

    resources = [
      "${local.s3_arn}${var.docs_bucket}/operations/alerts/*", # one document per alert
      "${local.s3_arn}${var.docs_bucket}/operations/cases/*",  # one document per file version
      "${local.s3_arn}${var.docs_bucket}/operations/latest/*", # one document per dataset
      "${local.s3_arn}${var.docs_bucket}/operations/runs/*",   # one document per run
    ]
  }

  statement {
    sid       = "EmptyOutbox"
    actions   = ["s3:DeleteObject"]
    resources = ["${local.s3_arn}${var.docs_bucket}/operations/alerts/waiting/*"] # one document per alert
  }

  statement {
    sid       = "OpenInterventions"
    actions   = ["s3:PutObject"]
    resources = ["${local.s3_arn}${var.docs_bucket}/operations/interventions/*"] # one document per intervention
  }

  statement {
    sid       = "Measure"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"] # knows no resources; the namespace narrows it

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = [var.metrics_namespace]
    }
  }

  statement {
    sid       = "ReadRunRecords"
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

  permissions_boundary_arn = var.permissions_boundary_arn

  name_prefix   = var.name_prefix
  account       = var.account
  function_role = "handle-failure"
  queue_role    = "failures"
  description   = "Has failed runs tried again, and calls people."
  handler       = "etl.lambdas.handle_failure.handler"
  package       = var.package
  policy_json   = data.aws_iam_policy_document.handle_failure.json
  environment   = local.failure_environment

  event_rule_names     = [for rule in keys(local.failure_rules) : "${var.name_prefix}-${rule}"]
  kms_key_arn          = var.kms_key_arn
  alarm_topic_arns     = local.alarm_topic_arns
  runbooks_url         = var.runbooks_url
  reserved_concurrency = var.reserved_concurrency
  log_retention_days   = var.log_retention_days
}
