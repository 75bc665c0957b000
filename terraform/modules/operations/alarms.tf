resource "aws_cloudwatch_metric_alarm" "freshness" {
  for_each = var.datasets

  alarm_name        = "${var.name_prefix}-${each.key}-freshness"
  alarm_description = "No batch of ${each.key} was published for ${each.value.freshness_hours} hours, and its contract promises one. Look whether the file landed in ${var.raw_bucket}/${each.key}/, then at the last run of the workflow ${var.name_prefix}-${each.key}. Owner: ${each.value.owner}."

  namespace   = var.metrics_namespace
  metric_name = "BatchPublished"
  dimensions  = { Dataset = each.key }

  # Hour by hour instead of one long period: periods are aligned to the clock, and a window that slides by the hour
  # notices within the hour.
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = each.value.freshness_hours
  datapoints_to_alarm = each.value.freshness_hours
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching" # nothing published sends nothing

  alarm_actions = [aws_sns_topic.alerts.arn]
  ok_actions    = [aws_sns_topic.alerts.arn]

  tags = each.value.tags
}

resource "aws_cloudwatch_metric_alarm" "rejected_batch" {
  for_each = var.datasets

  alarm_name        = "${var.name_prefix}-${each.key}-batch-rejected"
  alarm_description = "The gate rejected a batch of ${each.key} whole: nothing of it reached the table. The alert of the run says which expectations failed; its Data Docs are in ${var.docs_bucket}/data-docs/. Ask the sender for a corrected file. Owner: ${each.value.owner}."

  namespace   = var.metrics_namespace
  metric_name = "BatchRejected"
  dimensions  = { Dataset = each.key }

  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"

  alarm_actions = [aws_sns_topic.alerts.arn]

  tags = each.value.tags
}

# Nothing else removes rows from the quarantine, and a run that was never started does not fail.
resource "aws_cloudwatch_metric_alarm" "maintenance" {
  for_each = var.datasets

  alarm_name        = "${var.name_prefix}-${each.key}-maintenance"
  alarm_description = "The tables of ${each.key} were not maintained for a week: quarantined rows stay beyond their time, and small files pile up. Look at the trigger ${var.name_prefix}-${each.key}-maintenance and at the last runs of the job ${var.name_prefix}-${each.key}-maintain. Owner: ${each.value.owner}."

  namespace   = var.metrics_namespace
  metric_name = "MaintenanceSeconds"
  dimensions  = { Dataset = each.key }

  statistic           = "SampleCount"
  period              = 86400
  evaluation_periods  = 7 # CloudWatch looks back no further
  datapoints_to_alarm = 7
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"

  alarm_actions = [aws_sns_topic.alerts.arn]
  ok_actions    = [aws_sns_topic.alerts.arn]

  tags = each.value.tags
}

# EventBridge counts the failures by itself, so this alarm works when our own code did not get to send a metric.
resource "aws_cloudwatch_metric_alarm" "failed_runs" {
  alarm_name        = "${var.name_prefix}-failed-runs"
  alarm_description = "A Glue job failed, timed out or was stopped. Read the alert of the gate or of the handle-failure function, or the run in the Glue console, before doing anything by hand."

  namespace   = "AWS/Events"
  metric_name = "TriggeredRules"
  dimensions  = { RuleName = aws_cloudwatch_event_rule.failure["job-state"].name }

  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"

  alarm_actions = [aws_sns_topic.alerts.arn]
}
