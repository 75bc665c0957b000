mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                   = "lakegate-test-raw-123456789012"
  kms_key                = { arn = "arn:aws:kms:eu-central-1:123456789012:key/general" }
  access_logs            = { bucket = "the-logs" }
  manage_lifecycle_rules = true
  noncurrent_days        = 30
  expirations            = [{ id = "old", prefix = "staging/", days = 7 }]
}

run "promises" {
  module {
    source = "../modules/storage/zone"
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.zone.block_public_acls,
      aws_s3_bucket_public_access_block.zone.block_public_policy,
      aws_s3_bucket_public_access_block.zone.ignore_public_acls,
      aws_s3_bucket_public_access_block.zone.restrict_public_buckets,
    ])
    error_message = "Nothing can open a bucket to the public."
  }

  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_server_side_encryption_configuration.zone.rule :
      rule.bucket_key_enabled && rule.apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms" && rule.apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key.arn
    ])
    error_message = "Objects are encrypted with the key of the zone."
  }

  assert {
    condition = length([
      for statement in data.aws_iam_policy_document.zone.statement : statement
      if statement.effect == "Deny" && anytrue([for condition in statement.condition : condition.variable == "aws:SecureTransport" && contains(condition.values, "false")])
    ]) == 1
    error_message = "A request without TLS is refused."
  }

  assert {
    condition = length([
      for statement in data.aws_iam_policy_document.zone.statement : statement
      if statement.effect == "Deny" && anytrue([for condition in statement.condition : condition.variable == "s3:x-amz-server-side-encryption-aws-kms-key-id" && contains(condition.values, var.kms_key.arn)])
    ]) == 1
    error_message = "A request that names another key is refused."
  }

  assert {
    condition     = aws_s3_bucket_versioning.zone.versioning_configuration[0].status == "Enabled" && aws_s3_bucket_ownership_controls.zone.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "Versions are kept, and every object is the bucket owner's."
  }

  assert {
    condition     = aws_s3_bucket_logging.zone[0].target_bucket == "the-logs"
    error_message = "Who read what is logged."
  }

  assert {
    condition = alltrue([
      for wanted in ["unfinished-uploads", "old-versions", "old"] :
      contains([for rule in aws_s3_bucket_lifecycle_configuration.zone[0].rule : rule.id if rule.status == "Enabled"], wanted)
    ])
    error_message = "Unfinished uploads, old versions and what expires go away."
  }
}

run "wrong_values" {
  command = plan

  module {
    source = "../modules/storage/zone"
  }

  variables {
    name            = "Not_A_Bucket"
    expirations     = [{ id = "never", prefix = "", days = 0 }]
    cold_after_days = 0
  }

  expect_failures = [var.name, var.expirations, var.cold_after_days]
}
