module "stack" {
  source = "../../stack"

  environment           = "dev"
  expectations_dir      = "../../../expectations"
  artifacts_dir         = var.artifacts_dir
  glue_scripts_dir      = "../../../etl/glue_jobs"
  alert_emails          = var.alert_emails
  alert_subscribers     = var.alert_subscribers
  data_lake_admin_arns  = var.data_lake_admin_arns
  reader_principal_arns = var.reader_principal_arns
  network               = var.network

  permissions_boundary_arn = var.permissions_boundary_arn

  force_destroy      = true
  log_retention_days = 30

  # A new account may run 10 functions at a time in all, and Lambda refuses to reserve from those.
  lambda_reserved_concurrency = -1

  query_scan_limit_bytes = 10 * 1024 * 1024 * 1024
}
