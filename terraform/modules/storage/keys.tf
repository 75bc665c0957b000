# Two keys by sensitivity: whoever may decrypt the general one still reads no row that was merged or quarantined.

locals {
  account_root = "arn:${var.account.partition}:iam::${var.account.id}:root"
}

data "aws_iam_policy_document" "sensitive_key" {
  #checkov:skip=CKV_AWS_109:In a key policy the resource * is the key itself.
  #checkov:skip=CKV_AWS_111:In a key policy the resource * is the key itself.
  #checkov:skip=CKV_AWS_356:In a key policy the resource * is the key itself.

  statement {
    sid       = "IamOfThisAccountDecides"
    actions   = ["kms:*"] # without it nobody could administer the key, and IAM policies would not count
    resources = ["*"]     # in a key policy: this key

    principals {
      type        = "AWS"
      identifiers = [local.account_root]
    }
  }

  statement {
    sid = "GlueLogs"

    actions = [
      "kms:Decrypt",
      "kms:DescribeKey",
      "kms:Encrypt",
      "kms:GenerateDataKey*", # with and without plaintext
      "kms:ReEncrypt*",       # from and to
    ]

    resources = ["*"] # in a key policy: this key

    principals {
      type        = "Service"
      identifiers = ["logs.${var.account.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:${var.account.partition}:logs:${var.account.region}:${var.account.id}:log-group:/aws-glue/*"] # the groups of Glue
    }
  }
}

resource "aws_kms_key" "sensitive" {
  description             = "${var.name_prefix}: processed and quarantined rows, and the logs of the jobs that read them"
  enable_key_rotation     = true
  deletion_window_in_days = var.key_deletion_days
  policy                  = data.aws_iam_policy_document.sensitive_key.json

  tags = {
    classification = "pii"
  }
}

resource "aws_kms_alias" "sensitive" {
  name          = "alias/${var.name_prefix}-sensitive"
  target_key_id = aws_kms_key.sensitive.key_id
}

data "aws_iam_policy_document" "general_key" {
  #checkov:skip=CKV_AWS_109:In a key policy the resource * is the key itself.
  #checkov:skip=CKV_AWS_111:In a key policy the resource * is the key itself.
  #checkov:skip=CKV_AWS_356:In a key policy the resource * is the key itself.

  statement {
    sid       = "IamOfThisAccountDecides"
    actions   = ["kms:*"] # without it nobody could administer the key, and IAM policies would not count
    resources = ["*"]     # in a key policy: this key

    principals {
      type        = "AWS"
      identifiers = [local.account_root]
    }
  }

  statement {
    sid = "Logs"

    actions = [
      "kms:Decrypt",
      "kms:DescribeKey",
      "kms:Encrypt",
      "kms:GenerateDataKey*", # with and without plaintext
      "kms:ReEncrypt*",       # from and to
    ]

    resources = ["*"] # in a key policy: this key

    principals {
      type        = "Service"
      identifiers = ["logs.${var.account.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:${var.account.partition}:logs:${var.account.region}:${var.account.id}:log-group:*"] # any group that names this key
    }
  }

  statement {
    # An alarm that may not use the topic's key is silently not sent; so is what a budget says.
    sid       = "AlarmsToTheEncryptedTopic"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = ["*"] # in a key policy: this key

    principals {
      type        = "Service"
      identifiers = ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account.id]
    }
  }
}

resource "aws_kms_key" "general" {
  description             = "${var.name_prefix}: everything but processed and quarantined rows"
  enable_key_rotation     = true
  deletion_window_in_days = var.key_deletion_days
  policy                  = data.aws_iam_policy_document.general_key.json
}

resource "aws_kms_alias" "general" {
  name          = "alias/${var.name_prefix}-general"
  target_key_id = aws_kms_key.general.key_id
}
