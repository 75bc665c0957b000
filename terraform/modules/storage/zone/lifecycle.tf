resource "aws_s3_bucket_lifecycle_configuration" "zone" {
  #checkov:skip=CKV_AWS_300:The rule unfinished-uploads is there; checkov loses sight of written-out rules beside the dynamic one.
  count  = var.manage_lifecycle_rules ? 1 : 0
  bucket = aws_s3_bucket.zone.id

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }

    expiration {
      # A delete marker with nothing left behind it only slows listings down.
      expired_object_delete_marker = true
    }
  }

  dynamic "rule" {
    for_each = var.cold_after_days[*] # none for null

    content {
      id     = "colder-storage"
      status = "Enabled"

      filter {}

      # S3 leaves objects below 128 KB where they are: they would cost more there.
      transition {
        days          = rule.value
        storage_class = "GLACIER_IR"
      }

      noncurrent_version_transition {
        noncurrent_days = rule.value
        storage_class   = "GLACIER_IR"
      }
    }
  }

  dynamic "rule" {
    for_each = var.expirations

    content {
      id     = rule.value.id
      status = "Enabled"

      filter {
        prefix = rule.value.prefix
      }

      expiration {
        days = rule.value.days
      }
    }
  }

  # Rules on old versions are refused until versioning is on.
  depends_on = [aws_s3_bucket_versioning.zone]
}
