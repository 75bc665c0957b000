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
