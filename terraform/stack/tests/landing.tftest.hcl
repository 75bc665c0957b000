mock_provider "aws" {
  source = "./tests/mocks"
}

run "promises" {
  module {
    source = "../modules/landing"
  }

  assert {
    condition     = aws_s3_bucket_notification.raw.eventbridge && aws_s3_bucket_notification.raw.bucket == "the-raw"
    error_message = "The raw bucket tells EventBridge of what lands."
  }

  assert {
    condition     = { for dataset, nightly in aws_scheduler_schedule.nightly : dataset => nightly.schedule_expression } == { for dataset, facts in var.datasets : dataset => facts.schedule }
    error_message = "The nightly schedule of each dataset is its contract's."
  }

  assert {
    condition = alltrue([
      for nightly in aws_scheduler_schedule.nightly :
      nightly.flexible_time_window[0].mode == "FLEXIBLE" && length(nightly.target[0].dead_letter_config) == 1 && length(nightly.target[0].retry_policy) == 1
    ])
    error_message = "A schedule is flexible, is tried again, and keeps what failed."
  }

  assert {
    condition = alltrue([
      for dataset in keys(var.datasets) : anytrue([for rule in aws_cloudwatch_event_rule.landing : strcontains(rule.event_pattern, "\"${dataset}/")])
    ])
    error_message = "A rule lets files through that land in the folder of a dataset."
  }

  assert {
    condition     = aws_cloudwatch_event_archive.landings.retention_days >= 1
    error_message = "Landings are kept for replay, and not for ever."
  }
}

run "wrong_values" {
  command = plan

  module {
    source = "../modules/landing"
  }

  variables {
    datasets               = { employee = merge(var.datasets.employee, { schedule = "every night" }) }
    archive_retention_days = 0
  }

  expect_failures = [var.datasets, var.archive_retention_days]
}
