# One workgroup per kind of reader. A workgroup that enforces its settings has a single place for results, and whoever
# may read there sees what others of the same kind were shown: a steward's names, the rows of one reader of rows.

locals {
  workgroups = merge(
    {
      analyst = {
        name        = var.name_prefix
        prefix      = "analyst/"
        description = "Queries of analysts and dashboards."
      }
      steward = {
        name        = "${var.name_prefix}-steward"
        prefix      = "steward/"
        description = "Queries of data stewards; results may hold names."
      }
      operator = {
        name        = "${var.name_prefix}-operator"
        prefix      = "operator/"
        description = "Counts of quarantined rows, for operators."
      }
    },
    {
      for reader in var.row_readers : reader => {
        name        = "${var.name_prefix}-${reader}"
        prefix      = "${reader}/"
        description = "Queries of ${reader}, who read some rows."
      }
    },
  )
}

resource "aws_athena_workgroup" "reader" {
  for_each = local.workgroups

  name          = each.value.name
  description   = each.value.description
  force_destroy = var.force_destroy

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.scan_limit_bytes

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    result_configuration {
      output_location = "s3://${var.results_bucket}/${each.value.prefix}"

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = var.results_key_arn
      }
    }
  }
}
