# What the stack takes. The folders come from whoever runs this: tests/terraform/test_modules.py.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "wrong_values" {
  command = plan

  variables {
    project            = "Not a name"
    environment        = "staging"
    expectations_dir   = "tests"
    log_retention_days = 8
    runbooks_url       = "docs/runbooks/"
  }

  expect_failures = [var.project, var.environment, var.expectations_dir, var.log_retention_days, var.runbooks_url]
}

run "prod_is_not_destroyed_by_force" {
  command = plan

  variables {
    environment   = "prod"
    force_destroy = true
  }

  expect_failures = [var.force_destroy]
}
