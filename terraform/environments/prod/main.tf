module "stack" {
  source = "../../stack"

  environment           = "prod"
  expectations_dir      = "../../../expectations"
  artifacts_dir         = var.artifacts_dir
  glue_scripts_dir      = "../../../etl/glue_jobs"
  alert_emails          = var.alert_emails
  alert_subscribers     = var.alert_subscribers
  data_lake_admin_arns  = var.data_lake_admin_arns
  reader_principal_arns = var.reader_principal_arns
  network               = var.network

  permissions_boundary_arn = var.permissions_boundary_arn

  log_retention_days = 365
}
