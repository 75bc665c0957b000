mock_provider "aws" {
  source = "./tests/mocks"
}

run "promises" {
  module {
    source = "../modules/operations"
  }

  assert {
    condition = alltrue([
      for alarms in [
        aws_cloudwatch_metric_alarm.freshness,
        aws_cloudwatch_metric_alarm.rejected_batch,
        aws_cloudwatch_metric_alarm.quarantine_share,
        aws_cloudwatch_metric_alarm.manual_intervention,
        aws_cloudwatch_metric_alarm.maintenance,
        aws_cloudwatch_composite_alarm.not_as_promised,
        aws_cloudwatch_composite_alarm.error_budget,
      ] : toset(keys(alarms)) == toset(keys(var.datasets))
    ])
    error_message = "Each dataset has an alarm of each kind."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.freshness : alarm.treat_missing_data == "breaching"])
    error_message = "A probe that is gone breaches the promise."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_composite_alarm.not_as_promised : length(alarm.alarm_actions) > 0 && length(alarm.ok_actions) > 0])
    error_message = "People hear of a broken promise, and of its end."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_composite_alarm.not_as_promised : strcontains(alarm.alarm_description, "${var.runbooks_url}/")])
    error_message = "An alarm that wakes people names its runbook."
  }

  assert {
    condition     = aws_sns_topic.alerts.kms_master_key_id == var.kms_key_arn
    error_message = "Alerts are encrypted with a key of ours: S3's default key would drop alarms."
  }

  assert {
    condition     = toset(keys(aws_sns_topic_subscription.email)) == toset(var.alert_emails)
    error_message = "Every address is subscribed."
  }
}

run "wrong_values" {
  command = plan

  module {
    source = "../modules/operations"
  }

  variables {
    datasets           = { employee = merge(var.datasets.employee, { freshness_hours = 400, availability_percent = 100 }) }
    alert_emails       = ["not an address"]
    monthly_budget_usd = 0
    retries            = { attempts = 9 }
  }

  expect_failures = [var.datasets, var.alert_emails, var.monthly_budget_usd, var.retries]
}

run "wrong_subscriber" {
  command = plan

  module {
    source = "../modules/operations"
  }

  variables {
    alert_subscribers = { pigeon = { protocol = "pigeon", endpoint = "roof" } }
  }

  expect_failures = [var.alert_subscribers]
}
