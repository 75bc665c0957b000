mock_provider "aws" {
  source = "./tests/mocks"
}

run "promises" {
  module {
    source = "../modules/query"
  }

  assert {
    condition = alltrue([
      for group in aws_athena_workgroup.reader :
      group.configuration[0].enforce_workgroup_configuration &&
      group.configuration[0].bytes_scanned_cutoff_per_query == var.scan_limit_bytes &&
      group.configuration[0].result_configuration[0].encryption_configuration[0].encryption_option == "SSE_KMS" &&
      group.configuration[0].result_configuration[0].encryption_configuration[0].kms_key_arn == var.results_key_arn
    ])
    error_message = "Nobody queries without a scan limit, or writes results that are not encrypted with our key."
  }

  assert {
    condition     = length(distinct([for group in aws_athena_workgroup.reader : group.configuration[0].result_configuration[0].output_location])) == length(aws_athena_workgroup.reader)
    error_message = "Results of each kind of reader lie apart: a steward's hold names."
  }

  assert {
    condition     = alltrue([for query in aws_athena_named_query.steward : query.workgroup == aws_athena_workgroup.reader["steward"].name])
    error_message = "What is asked of the quarantine is asked as a steward."
  }

  assert {
    condition     = alltrue([for query in aws_athena_named_query.analyst : !strcontains(query.query, "last_name") && !strcontains(query.query, "visitor")])
    error_message = "An analyst's query names open columns."
  }

  assert {
    condition = alltrue([
      for dataset in keys(var.open_columns) : anytrue([for name in keys(aws_athena_named_query.analyst) : startswith(name, "${dataset}:")])
    ])
    error_message = "There is something to begin with for each dataset."
  }
}

run "wrong_values" {
  command = plan

  module {
    source = "../modules/query"
  }

  variables {
    scan_limit_bytes = 9999999
  }

  expect_failures = [var.scan_limit_bytes]
}
