# The bucket of the state of every environment in this account and region. Its name follows from both, so nobody has to
# write it down. State names resources and holds e-mail addresses; it holds no row.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  account_id  = data.aws_caller_identity.current.account_id
  partition   = data.aws_partition.current.partition
  bucket_name = "lakegate-state-${local.account_id}-${var.region}"
}

data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:In a key policy the resource * is the key itself.
  #checkov:skip=CKV_AWS_111:In a key policy the resource * is the key itself.
  #checkov:skip=CKV_AWS_356:In a key policy the resource * is the key itself.

  statement {
    sid       = "IamOfThisAccountDecides"
    actions   = ["kms:*"] # without it nobody could administer the key, and IAM policies would not count
    resources = ["*"]     # in a key policy: this key

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account_id}:root"]
    }
  }
}

resource "aws_kms_key" "state" {
  description             = "${local.bucket_name}: the state of Terraform"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "state" {
  name          = "alias/lakegate-state"
  target_key_id = aws_kms_key.state.key_id
}

module "access_logs" {
  source = "../modules/storage/zone"

  name                   = "lakegate-state-logs-${local.account_id}-${var.region}"
  kms_key                = null # S3 delivers access logs only into a bucket with its own keys
  delivery_account       = local.account_id
  force_destroy          = false
  manage_lifecycle_rules = var.manage_lifecycle_rules
  noncurrent_days        = 1

  expirations = [
    { id = "access-logs", prefix = "", days = 365 },
  ]
}

module "state" {
  source = "../modules/storage/zone"

  name                   = local.bucket_name
  kms_key                = { arn = aws_kms_key.state.arn }
  access_logs            = { bucket = module.access_logs.name }
  force_destroy          = false
  manage_lifecycle_rules = var.manage_lifecycle_rules
  noncurrent_days        = 365 # a state that was overwritten by mistake can be had back for a year
}
