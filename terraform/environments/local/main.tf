# The whole stack against the offline AWS: an endpoint and credentials that open nothing.

module "stack" {
  source = "../../stack"

  environment      = "local"
  expectations_dir = var.expectations_dir
  artifacts_dir    = var.artifacts_dir
  glue_scripts_dir = "../../../etl/glue_jobs"
  alert_emails     = ["data-oncall@example.com"]
  force_destroy    = true

  # The provider waits 55 s for the rules of each bucket, and nothing grows old offline.
  manage_lifecycle_rules = false

  log_retention_days = 7

  # Nobody wants to watch minutes go by.
  retries = { base_seconds = 2 }
}
