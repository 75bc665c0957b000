# The probe of freshness: every five minutes it looks at each dataset and says whether the promise of its contract is
# kept. It has no queue: one that fails is followed by the next, and what it did not say breaches the alarms.

data "aws_iam_policy_document" "assume_probe_role" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "probe_freshness" {
  name                 = "${var.name_prefix}-probe-freshness"
  description          = "Tells how fresh the datasets are."
  assume_role_policy   = data.aws_iam_policy_document.assume_probe_role.json
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "probe_freshness" {
  statement {
    sid     = "KeepWhatWasFound"
    actions = ["s3:GetObject", "s3:PutObject"]

    resources = [
      "${local.s3_arn}${var.docs_bucket}/operations/freshness/*", # a file per dataset and month
      "${local.s3_arn}${var.docs_bucket}/operations/latest/*",    # a file per dataset
    ]
  }

  statement {
    sid       = "ListDocs"
    actions   = ["s3:ListBucket"] # else a file that is not there is "forbidden" instead of "not found"
    resources = ["${local.s3_arn}${var.docs_bucket}"]
  }

  statement {
    sid       = "FindLandedFiles"
    actions   = ["s3:ListBucketVersions"]
    resources = ["${local.s3_arn}${var.raw_bucket}"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = [for dataset in sort(keys(var.datasets)) : "${dataset}/dt=*"] # any day
    }
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
    sid       = "UseKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arn]
  }

  statement {
    sid       = "WriteLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.probe_freshness.arn}:*"] # the streams, which Lambda names
  }

  statement {
    sid       = "Trace"
    actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    resources = ["*"] # X-Ray knows no resources for these
  }
}

resource "aws_iam_role_policy" "probe_freshness" {
  name   = "probe-freshness"
  role   = aws_iam_role.probe_freshness.id
  policy = data.aws_iam_policy_document.probe_freshness.json
}

resource "aws_cloudwatch_log_group" "probe_freshness" {
  name              = "/aws/lambda/${var.name_prefix}-probe-freshness"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_lambda_function" "probe_freshness" {
  #checkov:skip=CKV_AWS_116:A probe that fails is followed by the next one; what it would have said is too old then.
  #checkov:skip=CKV_AWS_117:It calls AWS's public APIs alone and listens to nobody; a VPC would add endpoints, their cost and their outages.
  #checkov:skip=CKV_AWS_272:Its zip comes from the artifacts bucket, which only the deployment may write; whoever could replace it there could change the signing configuration too.

  function_name = "${var.name_prefix}-probe-freshness"
  description   = "Tells how fresh the datasets are, and why one is not."
  role          = aws_iam_role.probe_freshness.arn
  handler       = "etl.lambdas.probe_freshness.handler"
  runtime       = "python3.13"
  architectures = ["arm64"]
  s3_bucket     = var.package.bucket
  s3_key        = var.package.key
  timeout       = 60
  memory_size   = 256
  kms_key_arn   = var.kms_key_arn

  reserved_concurrent_executions = min(var.reserved_concurrency, 2) # one, and one that comes twice

  environment {
    variables = {
      RAW_BUCKET        = var.raw_bucket
      DOCS_BUCKET       = var.docs_bucket
      METRICS_NAMESPACE = var.metrics_namespace

      PROMISES = jsonencode({
        for dataset, promised in var.datasets : dataset => {
          freshness_hours      = promised.freshness_hours
          availability_percent = promised.availability_percent
        }
      })
    }
  }

  tracing_config {
    mode = "Active"
  }

  depends_on = [aws_iam_role_policy.probe_freshness]
}

resource "aws_lambda_function_event_invoke_config" "probe_freshness" {
  function_name                = aws_lambda_function.probe_freshness.function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 300 # then the next one is due
}

module "probe_scheduler_role" {
  source = "../scheduler_role"

  name                     = "${var.name_prefix}-probe-scheduler"
  description              = "Invokes the probe-freshness function every five minutes."
  account_id               = var.account.id
  function_arn             = aws_lambda_function.probe_freshness.arn
  kms_key_arn              = var.kms_key_arn
  permissions_boundary_arn = var.permissions_boundary_arn
}

resource "aws_scheduler_schedule" "probe_freshness" {
  name        = "${var.name_prefix}-probe-freshness"
  description = "Looks how fresh the datasets are."

  schedule_expression          = "rate(5 minutes)" # the slots of etl/operations/availability.py
  schedule_expression_timezone = "UTC"
  kms_key_arn                  = var.kms_key_arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.probe_freshness.arn
    role_arn = module.probe_scheduler_role.arn

    # jsonencode would write < and > in another way, which the scheduler does not know.
    input = "{\"at\": \"<aws.scheduler.scheduled-time>\"}"

    retry_policy {
      maximum_event_age_in_seconds = 300
      maximum_retry_attempts       = 3
    }
  }
}
