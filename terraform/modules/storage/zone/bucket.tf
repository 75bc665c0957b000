locals {
  encryption = var.kms_key == null ? "AES256" : "aws:kms"

  refused_encryption = merge(
    { OtherEncryption = { header = "s3:x-amz-server-side-encryption", expected = local.encryption } },
    var.kms_key == null ? {} : {
      OtherKey = { header = "s3:x-amz-server-side-encryption-aws-kms-key-id", expected = var.kms_key.arn }
    },
  )
}

resource "aws_s3_bucket" "zone" {
  #checkov:skip=CKV_AWS_144:A copy in another region is the account's decision about residency and cost; versions are kept here, and every table can be made anew from the raw zone.
  #checkov:skip=CKV2_AWS_62:Only files that land in the raw zone start something; terraform/modules/landing asks EventBridge for them.
  bucket        = var.name
  force_destroy = var.force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_versioning" "zone" {
  bucket = aws_s3_bucket.zone.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "zone" {
  bucket = aws_s3_bucket.zone.id

  rule {
    # One data key per bucket and short while instead of one KMS request per object.
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = local.encryption
      kms_master_key_id = one(var.kms_key[*].arn)
    }
  }
}

resource "aws_s3_bucket_logging" "zone" {
  count = var.access_logs == null ? 0 : 1

  bucket        = aws_s3_bucket.zone.id
  target_bucket = var.access_logs.bucket
  target_prefix = "${var.name}/"
}

resource "aws_s3_bucket_public_access_block" "zone" {
  bucket = aws_s3_bucket.zone.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "zone" {
  bucket = aws_s3_bucket.zone.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

data "aws_iam_policy_document" "zone" {
  dynamic "statement" {
    for_each = var.delivery_account[*]

    content {
      sid       = "DeliverAccessLogs"
      actions   = ["s3:PutObject"]
      resources = ["${aws_s3_bucket.zone.arn}/*"] # a prefix per bucket

      principals {
        type        = "Service"
        identifiers = ["logging.s3.amazonaws.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [statement.value]
      }
    }
  }

  statement {
    sid     = "TlsOnly"
    effect  = "Deny"
    actions = ["s3:*"] # a Deny covers everything, so that no action is forgotten

    resources = [
      aws_s3_bucket.zone.arn,
      "${aws_s3_bucket.zone.arn}/*", # and every object in it
    ]

    principals {
      type        = "*" # nobody is exempt
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  # A request that names no encryption gets the bucket's; one that names another is refused.
  dynamic "statement" {
    for_each = local.refused_encryption

    content {
      sid       = statement.key
      effect    = "Deny"
      actions   = ["s3:PutObject"]
      resources = ["${aws_s3_bucket.zone.arn}/*"] # every object

      principals {
        type        = "*" # nobody is exempt
        identifiers = ["*"]
      }

      # Of a header that is not there IAM finds "not equal" true, so that it has to be there, too.
      condition {
        test     = "Null"
        variable = statement.value.header
        values   = ["false"]
      }

      condition {
        test     = "StringNotEquals"
        variable = statement.value.header
        values   = [statement.value.expected]
      }
    }
  }
}

resource "aws_s3_bucket_policy" "zone" {
  bucket = aws_s3_bucket.zone.id
  policy = data.aws_iam_policy_document.zone.json
}
