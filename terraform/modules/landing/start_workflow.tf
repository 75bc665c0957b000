data "aws_iam_policy_document" "start_workflow" {
  statement {
    sid       = "StartWorkflows"
    actions   = ["glue:StartWorkflowRun"]
    resources = local.workflow_arns
  }

  statement {
    sid       = "FindLandedFiles"
    actions   = ["s3:ListBucketVersions"]
    resources = ["${local.s3_arn}${var.raw_bucket}"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = [for folder in local.landing_folders : "${folder}*"] # below the folders of datasets
    }
  }

  statement {
    sid       = "FindJudgedBatches"
    actions   = ["s3:GetObject"]                                                                                          # a HEAD
    resources = [for dataset in sort(keys(var.datasets)) : "${local.s3_arn}${var.docs_bucket}/runs/${dataset}/batches/*"] # a note per batch
  }

  statement {
    sid       = "ListDocs"
    actions   = ["s3:ListBucket"] # else what is not there is "forbidden" instead of "not found"
    resources = ["${local.s3_arn}${var.docs_bucket}"]
  }

  statement {
    sid       = "KeepAlerts"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${local.s3_arn}${var.docs_bucket}/operations/alerts/*"] # one document per alert
  }

  statement {
    sid       = "EmptyOutbox"
    actions   = ["s3:DeleteObject"]
    resources = ["${local.s3_arn}${var.docs_bucket}/operations/alerts/waiting/*"] # one document per alert
  }

  statement {
    sid       = "TellPeople"
    actions   = ["sns:Publish"]
    resources = [var.alert_topic_arn]
  }

  statement {
    sid       = "UseKeyOfTopic"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arn]
  }
}

module "start_workflow" {
  source = "../queued_lambda"

  permissions_boundary_arn = var.permissions_boundary_arn

  name_prefix   = var.name_prefix
  account       = var.account
  function_role = "start-workflow"
  queue_role    = "landing"
  description   = "Starts the workflow of a dataset for a landed file."
  handler       = "etl.lambdas.start_workflow.handler"
  package       = var.package
  policy_json   = data.aws_iam_policy_document.start_workflow.json

  environment = {
    NAME_PREFIX     = var.name_prefix
    ALERT_TOPIC_ARN = var.alert_topic_arn
    DOCS_BUCKET     = var.docs_bucket
    RAW_BUCKET      = var.raw_bucket
    DATASETS        = join(",", sort(keys(var.datasets)))
    RUNBOOKS_URL    = var.runbooks_url
  }

  event_rule_names     = [for rule in keys(local.landing_rules) : "${var.name_prefix}-${rule}"]
  kms_key_arn          = var.kms_key_arn
  alarm_topic_arns     = var.alarm_topic_arns
  runbooks_url         = var.runbooks_url
  reserved_concurrency = var.reserved_concurrency
  log_retention_days   = var.log_retention_days
}
