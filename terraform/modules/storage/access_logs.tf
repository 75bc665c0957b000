# Who read what, for every zone. S3 delivers access logs only into a bucket with its own keys, and this bucket does
# not log itself: each delivery would be an access to log.

locals {
  access_logs_name = "${var.name_prefix}-access-logs-${var.account.id}"
}

data "aws_iam_policy_document" "access_logs" {
  statement {
    sid       = "DeliverAccessLogs"
    actions   = ["s3:PutObject"]
    resources = ["arn:${var.account.partition}:s3:::${local.access_logs_name}/*"] # a prefix per zone

    principals {
      type        = "Service"
      identifiers = ["logging.s3.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account.id]
    }
  }
}

module "access_logs" {
  source = "./zone"

  name                   = local.access_logs_name
  kms_key                = null
  policy_documents       = [data.aws_iam_policy_document.access_logs.json]
  force_destroy          = var.force_destroy
  manage_lifecycle_rules = var.manage_lifecycle_rules
  noncurrent_days        = 1

  expirations = [
    { id = "access-logs", prefix = "", days = var.access_log_retention_days },
  ]

  tags = {
    zone           = "access-logs"
    classification = "internal" # keys of the raw zone may name people, so nobody but administrators is let in
  }
}
