locals {
  stages = toset(["gate", "merge"]) # of the workflow; the maintenance runs by a schedule of its own

  descriptions = {
    gate = {
      job  = "Validates a batch and stages what passed."
      role = "Reads landed files, stages what passed, quarantines what did not."
    }
    merge = {
      job  = "Merges a gated batch in one commit."
      role = "Merges staged batches into the processed tables."
    }
    maintain = {
      job  = "Joins small files, and removes old snapshots, old quarantined rows and orphans."
      role = "Keeps the processed and the quarantine tables in order."
    }
  }

  # "employee/gate" => { dataset = "employee", stage = "gate", spark = null }; the maintenance is one process for all.
  jobs = {
    for pair in setproduct(keys(var.datasets), setunion(local.stages, ["maintain"])) :
    "${pair[0]}/${pair[1]}" => {
      dataset = pair[0]
      stage   = pair[1]
      spark   = pair[1] == "maintain" ? null : var.datasets[pair[0]].spark
    }
  }

  # Written out instead of read from the jobs: the failure rule needs the names, not the jobs.
  job_names = { for key, job in local.jobs : key => "${var.name_prefix}-${job.dataset}-${job.stage}" }

  # What a job on Spark has beside the others. The catalog's name is that of etl/spark/session.py.
  spark_catalog = "spark.sql.catalog.glue_catalog"

  spark_arguments = {
    "--datalake-formats"    = "iceberg"
    "--enable-auto-scaling" = "true" # from one worker up to number_of_workers, as Spark asks for them

    "--conf" = join(" --conf ", [
      "spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
      "${local.spark_catalog}=org.apache.iceberg.spark.SparkCatalog",
      "${local.spark_catalog}.catalog-impl=org.apache.iceberg.aws.glue.GlueCatalog",
      "${local.spark_catalog}.io-impl=org.apache.iceberg.aws.s3.S3FileIO",
    ])
  }

  log_group_prefix = "/aws-glue/${var.name_prefix}"

  # On Glue, pip would look for what a wheel needs on the package index; where its zip of wheels was shipped it must not.
  offline_install = anytrue([for uri in var.glue_modules : endswith(uri, ".gluewheels.zip")])
}

# Glue would create both on the first run, to be kept for ever.
resource "aws_cloudwatch_log_group" "jobs" {
  for_each = toset(["error", "output"])

  name              = "${local.log_group_prefix}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arns.sensitive # a traceback can hold a row
}

resource "aws_glue_job" "stage" {
  for_each = local.jobs

  name              = local.job_names[each.key]
  description       = "${local.descriptions[each.value.stage].job} Dataset: ${each.value.dataset}."
  role_arn          = aws_iam_role.job[each.value.stage].arn
  glue_version      = "5.1"
  worker_type       = try(each.value.spark.worker_type, var.jobs.worker_type)
  number_of_workers = try(each.value.spark.max_workers, var.jobs.number_of_workers)
  timeout           = var.jobs.timeout_minutes
  execution_class   = "STANDARD" # left out, the next plan would want to remove it

  # Glue would repeat a rejected batch too, and bad data stays bad.
  max_retries = 0

  security_configuration = var.security_configuration
  connections            = [for connection in aws_glue_connection.network : connection.name]

  command {
    name            = "glueetl"
    python_version  = "3"
    script_location = var.glue_scripts[each.value.stage]
  }

  execution_property {
    # Two at once would do the same work twice.
    max_concurrent_runs = each.value.stage == "maintain" ? 1 : var.jobs.max_concurrent_runs
  }

  default_arguments = merge(
    {
      "--dataset"             = each.value.dataset
      "--environment"         = var.environment
      "--expectations_uri"    = var.expectations_uri
      "--processed_bucket"    = var.buckets.processed
      "--quarantine_bucket"   = var.buckets.quarantine
      "--docs_bucket"         = var.buckets.docs
      "--processed_database"  = var.databases.processed
      "--quarantine_database" = var.databases.quarantine
      "--alert_topic_arn"     = var.alert_topic_arn
      "--metrics_namespace"   = var.metrics_namespace
      "--runbooks_url"        = var.runbooks_url

      "--job-language"                     = "python"
      "--additional-python-modules"        = join(",", var.glue_modules)
      "--enable-metrics"                   = "true"
      "--enable-job-insights"              = "true"
      "--enable-continuous-cloudwatch-log" = "true"
      "--custom-logGroup-prefix"           = local.log_group_prefix

      # Spilled rows are as sensitive as staged ones, and expire with them.
      "--TempDir" = "s3://${var.buckets.processed}/staging/_glue_temp/${each.value.dataset}/"
    },
    each.value.spark == null ? {} : local.spark_arguments,
    local.offline_install ? { "--python-modules-installer-option" = "--no-index" } : {},
  )

  tags = var.datasets[each.value.dataset].tags

  depends_on = [aws_cloudwatch_log_group.jobs]
}
