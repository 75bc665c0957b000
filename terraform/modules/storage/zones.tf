locals {
  key_arns = {
    sensitive = aws_kms_key.sensitive.arn
    general   = aws_kms_key.general.arn
  }

  # The zones name their key instead of holding its ARN, so that buckets are made while the keys are.
  zones = {
    raw = {
      key             = "general"
      classification  = "pii"
      noncurrent_days = 365 # a batch is one object version: an overwritten file must stay replayable
      expirations     = []
    }
    processed = {
      key             = "sensitive"
      classification  = "pii"
      noncurrent_days = 7 # Iceberg keeps its own history
      expirations = [
        { id = "staged-batches", prefix = "staging/", days = 7 },
        { id = "confirmed-keys", prefix = "confirmed/", days = 35 }, # how late a batch may come: docs/merge.md
      ]
    }
    quarantine = {
      key             = "sensitive"
      classification  = "pii"
      noncurrent_days = 7
      # No rule on the table's files: by their age alone, S3 would delete some that the table still names. The
      # maintenance deletes rows when their time is over, then the files that held them; this rule ends their copies.
      expirations = []
    }
    docs = {
      key             = "general"
      classification  = "internal"
      noncurrent_days = 30
      expirations     = []
    }
    artifacts = {
      key             = "general"
      classification  = "internal"
      noncurrent_days = 90
      expirations     = []
    }
    query-results = {
      key             = "general"
      classification  = "pii" # a steward's results hold names
      noncurrent_days = 1
      expirations = [
        { id = "results", prefix = "", days = 14 },
      ]
    }
  }
}

module "zone" {
  source   = "./zone"
  for_each = local.zones

  name                   = "${var.name_prefix}-${each.key}-${var.account.id}"
  kms_key                = { arn = local.key_arns[each.value.key] }
  access_logs            = { bucket = module.access_logs.name }
  force_destroy          = var.force_destroy
  manage_lifecycle_rules = var.manage_lifecycle_rules
  expirations            = each.value.expirations
  noncurrent_days        = each.value.noncurrent_days
  cold_after_days        = try(each.value.cold_after_days, null)

  tags = {
    zone           = each.key
    classification = each.value.classification
  }
}
