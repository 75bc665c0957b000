# What every module is tested with: two datasets, of which the second has a column that nobody classified.
# Each module takes what it has a variable for.

name_prefix = "lakegate-test"
account     = { id = "123456789012", region = "eu-central-1", partition = "aws" }
environment = "dev"
project     = "lakegate"

datasets = {
  employee = {
    description            = "People."
    owner                  = "people-data"
    tags                   = { dataset = "employee", owner = "people-data", classification = "pii" }
    columns                = [{ name = "last_name", type = "string", description = "" }, { name = "salary", type = "bigint", description = "" }]
    schedule               = "cron(0 3 * * ? *)"
    freshness_hours        = 24
    availability_percent   = 99.9
    max_quarantine_percent = 5
    maintenance_schedule   = "cron(0 5 * * ? *)"
    spark                  = null
  }
  visit = {
    description            = "Visits."
    owner                  = "shop-data"
    tags                   = { dataset = "visit", owner = "shop-data", classification = "pii" }
    columns                = [{ name = "page", type = "string", description = "" }, { name = "visitor", type = "string", description = "" }]
    schedule               = "rate(6 hours)"
    freshness_hours        = 6
    availability_percent   = 99
    max_quarantine_percent = 1
    maintenance_schedule   = "cron(30 5 * * ? *)"
    spark                  = { worker_type = "G.2X", max_workers = 20 }
  }
}

lineage_columns    = [{ name = "_batch_date", type = "date", description = "" }]
quarantine_columns = [{ name = "row_text", type = "string", description = "" }]

operations_tables = {
  runs = { description = "Runs.", folders = ["dataset"], columns = [{ name = "run_id", type = "string", description = "" }] }
}

buckets = { raw = "the-raw", processed = "the-processed", quarantine = "the-quarantine", docs = "the-docs", artifacts = "the-artifacts" }

raw_bucket     = "the-raw"
docs_bucket    = "the-docs"
results_bucket = "the-results"

kms_key_arns = {
  sensitive = "arn:aws:kms:eu-central-1:123456789012:key/sensitive"
  general   = "arn:aws:kms:eu-central-1:123456789012:key/general"
}

kms_key_arn     = "arn:aws:kms:eu-central-1:123456789012:key/general"
results_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/general"

databases = { raw = "the_raw", processed = "the_processed", quarantine = "the_quarantine", operations = "the_operations" }

tables = {
  processed  = { employee = "employee", visit = "visit" }
  quarantine = { employee = "employee", visit = "visit" }
  operations = { runs = "runs" }
}

warehouse_arns = {
  processed  = "arn:aws:s3:::the-processed/warehouse"
  quarantine = "arn:aws:s3:::the-quarantine/warehouse"
}

quarantine_views = { employee = "employee_by_reason", visit = "visit_by_reason" }

workgroups      = { analyst = "analysts", steward = "stewards", operator = "operators" }
result_prefixes = { analyst = "analyst/", steward = "steward/", operator = "operator/" }
columns = {
  employee = [{ name = "last_name", type = "string" }, { name = "salary", type = "bigint" }]
  visit    = [{ name = "page", type = "string" }, { name = "visitor", type = "string" }]
}

open_columns   = { employee = ["salary"], visit = ["page"] }
workflows      = { employee = "lakegate-test-employee", visit = "lakegate-test-visit" }
crawlers       = { employee = "lakegate-test-employee-raw", visit = "lakegate-test-visit-raw" }
crawler_names  = ["lakegate-test-employee-raw", "lakegate-test-visit-raw"]
job_names      = ["lakegate-test-employee-gate"]
job_log_groups = ["/aws-glue/lakegate-test/output"]
functions      = { start-workflow = "landing" }

security_configuration = "jobs"
glue_modules           = ["s3://the-artifacts/wheels/lakegate.whl"]
glue_scripts           = { gate = "s3://the-artifacts/gate.py", merge = "s3://the-artifacts/merge.py", maintain = "s3://the-artifacts/maintain.py" }
expectations_uri       = "s3://the-artifacts/expectations"
package                = { bucket = "the-artifacts", key = "lambdas.zip" }

alert_topic_arn      = "arn:aws:sns:eu-central-1:123456789012:alerts"
alarm_topic_arns     = { critical = ["arn:aws:sns:eu-central-1:123456789012:alerts"], warning = ["arn:aws:sns:eu-central-1:123456789012:alerts"] }
alert_emails         = ["oncall@example.com"]
alert_subscribers    = {}
runbooks_url         = "https://example.com/runbooks"
monthly_budget_usd   = 100
metrics_namespace    = "Lakegate"
reserved_concurrency = 5
log_retention_days   = 30
force_destroy        = false
data_lake_admin_arns = ["arn:aws:iam::123456789012:role/deploy"]
