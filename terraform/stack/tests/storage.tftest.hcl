# The folders of artifacts, scripts and datasets come from whoever runs this: tests/terraform/test_modules.py.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "promises" {
  module {
    source = "../modules/storage"
  }

  assert {
    condition     = aws_kms_key.sensitive.enable_key_rotation && aws_kms_key.general.enable_key_rotation
    error_message = "Keys rotate."
  }

  assert {
    condition = alltrue([
      for key in [data.aws_iam_policy_document.sensitive_key, data.aws_iam_policy_document.general_key] : alltrue([
        for statement in key.statement : length(statement.condition) > 0 || alltrue([for principal in statement.principals : principal.type == "AWS"])
      ])
    ])
    error_message = "No service uses a key but for this account."
  }

  assert {
    condition     = length(setsubtract(["raw", "processed", "quarantine", "docs", "artifacts", "query-results"], keys(output.buckets))) == 0
    error_message = "Each zone has a bucket."
  }

  assert {
    condition     = alltrue([for key, code in aws_s3_object.code : strcontains(code.key, code.source_hash)])
    error_message = "Code lies under the hash of its content: what runs does not change under what points at it."
  }
}

run "wrong_values" {
  command = plan

  module {
    source = "../modules/storage"
  }

  variables {
    key_deletion_days = 3
    artifacts_dir     = "tests"
    glue_scripts_dir  = "tests"
  }

  expect_failures = [var.key_deletion_days, var.artifacts_dir, var.glue_scripts_dir]
}

run "unchecked_datasets" {
  command = plan

  module {
    source = "../modules/storage"
  }

  variables {
    expectations_dir = "tests"
  }

  expect_failures = [var.expectations_dir]
}
