# How Glue encrypts what it writes by itself: logs, bookmarks, temporary files. A traceback or a spilled block can
# hold a row, hence the sensitive key.
resource "aws_glue_security_configuration" "jobs" {
  name = "${var.name_prefix}-jobs"

  encryption_configuration {
    cloudwatch_encryption {
      cloudwatch_encryption_mode = "SSE-KMS"
      kms_key_arn                = var.kms_key_arns.sensitive
    }

    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "CSE-KMS"
      kms_key_arn                   = var.kms_key_arns.sensitive
    }

    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = var.kms_key_arns.sensitive
    }
  }
}

# What the catalog itself holds: names and comments of columns, minima and maxima of statistics. Glue uses the key as a
# role of its own, so that whoever reads the catalog needs no permission on the key.
data "aws_iam_policy_document" "encrypt_catalog" {
  statement {
    sid       = "UseKey"
    actions   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arns.general]
  }
}

resource "aws_iam_role" "catalog_encryption" {
  count = var.manage_catalog_encryption ? 1 : 0

  name                 = "${var.name_prefix}-catalog-encryption"
  description          = "What Glue encrypts its catalog with, on behalf of those who read or change it."
  assume_role_policy   = data.aws_iam_policy_document.assume_glue_role.json
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "catalog_encryption" {
  count = var.manage_catalog_encryption ? 1 : 0

  name   = "encrypt-catalog"
  role   = aws_iam_role.catalog_encryption[0].id
  policy = data.aws_iam_policy_document.encrypt_catalog.json
}

resource "aws_glue_data_catalog_encryption_settings" "account" {
  #checkov:skip=CKV_AWS_94:It is encrypted; the check knows the mode SSE-KMS alone, in which each reader would need the key.
  count = var.manage_catalog_encryption ? 1 : 0

  data_catalog_encryption_settings {
    encryption_at_rest {
      catalog_encryption_mode         = "SSE-KMS-WITH-SERVICE-ROLE"
      catalog_encryption_service_role = aws_iam_role.catalog_encryption[0].arn
      sse_aws_kms_key_id              = var.kms_key_arns.general
    }

    # There is no connection; whoever adds one finds its password encrypted.
    connection_password_encryption {
      aws_kms_key_id                       = var.kms_key_arns.general
      return_connection_password_encrypted = true
    }
  }

  depends_on = [aws_iam_role_policy.catalog_encryption]
}
