# Who read what, for every zone. S3 delivers access logs only into a bucket with its own keys, and this bucket does
# not log itself: each delivery would be an access to log.

module "access_logs" {
  source = "./zone"

  name                   = "${var.name_prefix}-access-logs-${var.account.id}"
  kms_key                = null
  delivery_account       = var.account.id
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
