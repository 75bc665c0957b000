data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

# Of an assumed role, the role: that is what Lake Formation knows as an administrator.
data "aws_iam_session_context" "current" {
  arn = data.aws_caller_identity.current.arn
}

locals {
  name_prefix       = "${var.project}-${var.environment}"
  metrics_namespace = "Lakegate"

  account = {
    id        = data.aws_caller_identity.current.account_id
    region    = data.aws_region.current.id # `name` is deprecated in 6.x, `region` unknown in 5.x
    partition = data.aws_partition.current.partition
  }
}

module "storage" {
  source = "../modules/storage"

  name_prefix            = local.name_prefix
  account                = local.account
  force_destroy          = var.force_destroy
  manage_lifecycle_rules = var.manage_lifecycle_rules
  artifacts_dir          = var.artifacts_dir
  glue_scripts_dir       = var.glue_scripts_dir
  expectations_dir       = var.expectations_dir
}

module "catalog" {
  source = "../modules/catalog"

  name_prefix               = local.name_prefix
  account                   = local.account
  datasets                  = local.datasets
  lineage_columns           = local.columns[".lineage"]
  quarantine_columns        = local.columns[".quarantine"]
  operations_tables         = local.operations_tables
  buckets                   = module.storage.buckets
  kms_key_arns              = module.storage.kms_key_arns
  manage_data_lake_settings = var.manage_data_lake_settings
  manage_catalog_encryption = var.manage_catalog_encryption
  data_lake_admin_arns      = setunion(var.data_lake_admin_arns, [data.aws_iam_session_context.current.issuer_arn])

  permissions_boundary_arn = var.permissions_boundary_arn
}

module "query" {
  source = "../modules/query"

  name_prefix      = local.name_prefix
  results_bucket   = module.storage.buckets["query-results"]
  results_key_arn  = module.storage.kms_key_arns.general
  scan_limit_bytes = var.query_scan_limit_bytes
  force_destroy    = var.force_destroy
  databases        = module.catalog.databases
  columns          = { for dataset in keys(local.datasets) : dataset => local.columns[dataset] }
  open_columns     = module.pii_access.open_columns
  quarantine_views = module.catalog.quarantine_views
  row_readers      = keys(local.row_readers)
}

module "pii_access" {
  source = "../modules/pii_access"

  name_prefix      = local.name_prefix
  account          = local.account
  datasets         = { for dataset in keys(local.datasets) : dataset => concat(local.columns[dataset], local.columns[".lineage"]) }
  row_readers      = local.row_readers
  databases        = module.catalog.databases
  tables           = merge(module.catalog.tables, { operations = module.catalog.operations_tables })
  table_columns    = module.catalog.columns
  quarantine_views = module.catalog.quarantine_views

  quarantine_columns = local.columns[".quarantine"]

  results_bucket  = module.storage.buckets["query-results"]
  results_key_arn = module.storage.kms_key_arns.general
  workgroups      = module.query.workgroups
  result_prefixes = module.query.result_prefixes
  principal_arns  = var.reader_principal_arns

  permissions_boundary_arn = var.permissions_boundary_arn
}

module "operations" {
  source = "../modules/operations"

  name_prefix          = local.name_prefix
  account              = local.account
  datasets             = local.datasets
  alert_emails         = var.alert_emails
  alert_subscribers    = var.alert_subscribers
  runbooks_url         = var.runbooks_url
  retries              = var.retries
  project              = var.project
  monthly_budget_usd   = var.monthly_budget_usd
  job_names            = module.quality_workflow.job_names
  job_log_groups       = module.quality_workflow.log_groups
  functions            = { start-workflow = "landing" }
  crawler_names        = module.catalog.crawler_names
  docs_bucket          = module.storage.buckets["docs"]
  raw_bucket           = module.storage.buckets["raw"]
  package              = module.storage.lambda_package
  kms_key_arn          = module.storage.kms_key_arns.general
  metrics_namespace    = local.metrics_namespace
  reserved_concurrency = var.lambda_reserved_concurrency
  log_retention_days   = var.log_retention_days

  permissions_boundary_arn = var.permissions_boundary_arn
}

module "quality_workflow" {
  source = "../modules/quality_workflow"

  name_prefix            = local.name_prefix
  account                = local.account
  environment            = var.environment
  datasets               = local.datasets
  buckets                = module.storage.buckets
  kms_key_arns           = module.storage.kms_key_arns
  databases              = module.catalog.databases
  tables                 = module.catalog.tables
  warehouse_arns         = module.catalog.warehouse_arns
  crawlers               = module.catalog.crawlers
  security_configuration = module.catalog.security_configuration
  glue_modules           = module.storage.glue_modules
  glue_scripts           = module.storage.glue_scripts
  expectations_uri       = module.storage.expectations_uri
  alert_topic_arn        = module.operations.alert_topic_arn
  runbooks_url           = var.runbooks_url
  metrics_namespace      = local.metrics_namespace
  jobs                   = var.jobs
  network                = var.network
  log_retention_days     = var.log_retention_days

  permissions_boundary_arn = var.permissions_boundary_arn
}

module "landing" {
  source = "../modules/landing"

  name_prefix          = local.name_prefix
  account              = local.account
  datasets             = local.datasets
  raw_bucket           = module.storage.buckets["raw"]
  docs_bucket          = module.storage.buckets["docs"]
  workflows            = module.quality_workflow.workflows
  package              = module.storage.lambda_package
  kms_key_arn          = module.storage.kms_key_arns.general
  alert_topic_arn      = module.operations.alert_topic_arn
  alarm_topic_arns     = module.operations.alarm_topic_arns
  runbooks_url         = var.runbooks_url
  reserved_concurrency = var.lambda_reserved_concurrency
  log_retention_days   = var.log_retention_days

  permissions_boundary_arn = var.permissions_boundary_arn
}

module "operators" {
  source = "../modules/operators"

  role_name   = module.pii_access.role_names["operator"]
  account     = local.account
  datasets    = keys(local.datasets)
  workflows   = module.quality_workflow.workflows
  raw_bucket  = module.storage.buckets["raw"]
  docs_bucket = module.storage.buckets["docs"]
  kms_key_arn = module.storage.kms_key_arns.general
}
