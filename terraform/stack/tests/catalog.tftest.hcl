mock_provider "aws" {
  source = "./tests/mocks"
}

run "promises" {
  module {
    source = "../modules/catalog"
  }

  assert {
    condition     = alltrue([for zone in ["processed", "quarantine"] : toset(keys(output.tables[zone])) == toset(keys(var.datasets))])
    error_message = "Each dataset has a processed and a quarantine table."
  }

  assert {
    condition     = [for column in aws_glue_catalog_table.processed["visit"].storage_descriptor[0].columns : column.name] == ["page", "visitor", "_batch_date"]
    error_message = "A processed table has the columns of the contract, in their order, then the lineage."
  }

  assert {
    condition     = length(setsubtract(["the-processed/warehouse", "the-quarantine/warehouse"], [for location in aws_lakeformation_resource.warehouse : trimprefix(location.arn, "arn:aws:s3:::")])) == 0
    error_message = "Where tables lie is registered with Lake Formation: else they are read past the grants."
  }

  assert {
    condition     = alltrue([for crawler in aws_glue_crawler.raw : crawler.schema_change_policy[0].update_behavior == "LOG" && crawler.schema_change_policy[0].delete_behavior == "LOG"])
    error_message = "A crawler logs a changed schema and does not follow it."
  }

  assert {
    condition     = toset(keys(aws_glue_crawler.raw)) == toset(keys(var.datasets))
    error_message = "Each dataset has a crawler."
  }

  assert {
    condition     = aws_lakeformation_data_lake_settings.account[0].create_database_default_permissions == null || length(aws_lakeformation_data_lake_settings.account[0].create_database_default_permissions) == 0
    error_message = "A new table belongs to nobody but those it was granted to."
  }

  assert {
    condition = alltrue([
      for mode in [
        aws_glue_security_configuration.jobs.encryption_configuration[0].cloudwatch_encryption[0].cloudwatch_encryption_mode,
        aws_glue_security_configuration.jobs.encryption_configuration[0].s3_encryption[0].s3_encryption_mode,
      ] : mode == "SSE-KMS"
    ])
    error_message = "What Glue writes by itself is encrypted with a key of ours."
  }
}

run "one_dataset" {
  command = plan

  module {
    source = "../modules/catalog"
  }

  variables {
    datasets = { employee = var.datasets.employee }
  }

  assert {
    condition     = keys(output.tables.processed) == ["employee"]
    error_message = "A dataset less is a table less."
  }
}

run "wrong_values" {
  command = plan

  module {
    source = "../modules/catalog"
  }

  variables {
    datasets             = { "Not-Snake" = var.datasets.employee }
    data_lake_admin_arns = []
  }

  expect_failures = [var.datasets, var.data_lake_admin_arns]
}
