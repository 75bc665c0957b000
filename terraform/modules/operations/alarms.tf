# What an alarm says: [severity], what is the case, what to do first, who owns the data, and where its runbook is.
# One that returns to OK only because nothing happened for a while has no ok_actions: that is no recovery.

# The alarms of service_level.tf tell people of it. The probe measures every five minutes.
resource "aws_cloudwatch_metric_alarm" "freshness" {
  for_each = var.datasets

  alarm_name        = "${var.name_prefix}-${each.key}-freshness"
  alarm_description = "[warning] No batch of ${each.key} was published for ${each.value.freshness_hours} hours, and its contract promises one; or nobody knows, because the function ${aws_lambda_function.probe_freshness.function_name} measures nothing. Look whether the file landed in ${var.raw_bucket}/${each.key}/, then at the last run of the workflow ${var.name_prefix}-${each.key}. Owner: ${each.value.owner}. Runbook: ${var.runbooks_url}/not-as-promised.md"

  namespace   = var.metrics_namespace
  metric_name = "Fresh"
  dimensions  = { Dataset = each.key }

  statistic           = "Minimum"
  period              = 300
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching" # who cannot measure cannot promise

  tags = each.value.tags
}

resource "aws_cloudwatch_metric_alarm" "rejected_batch" {
  for_each = var.datasets

  alarm_name        = "${var.name_prefix}-${each.key}-batch-rejected"
  alarm_description = "[warning] The gate rejected a batch of ${each.key} whole: nothing of it reached the table. The alert of the run says which expectations failed; its Data Docs are in ${var.docs_bucket}/data-docs/. Ask the sender for a corrected file. Owner: ${each.value.owner}. Runbook: ${var.runbooks_url}/gate-rejected.md"

  namespace   = var.metrics_namespace
  metric_name = "BatchRejected"
  dimensions  = { Dataset = each.key }

  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "ignore" # until the gate has judged the next batch

  alarm_actions = local.alarm_topic_arns.warning
  ok_actions    = local.alarm_topic_arns.warning

  tags = each.value.tags
}

# At half of what the gate takes: while there is still time to ask the sender.
resource "aws_cloudwatch_metric_alarm" "quarantine_share" {
  for_each = var.datasets

  alarm_name        = "${var.name_prefix}-${each.key}-quarantine-share"
  alarm_description = "[warning] More than ${each.value.max_quarantine_percent / 2} % of a batch of ${each.key} cannot be used; at ${each.value.max_quarantine_percent} % the gate rejects batches whole. The other rows are in the table. Look at the reasons in the quarantine, and ask the sender. Owner: ${each.value.owner}. Runbook: ${var.runbooks_url}/quarantine-share.md"

  namespace   = var.metrics_namespace
  metric_name = "QuarantinePercent"
  dimensions  = { Dataset = each.key }

  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = each.value.max_quarantine_percent / 2
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "ignore" # until the gate has judged the next batch

  alarm_actions = local.alarm_topic_arns.warning
  ok_actions    = local.alarm_topic_arns.warning

  tags = each.value.tags
}

resource "aws_cloudwatch_metric_alarm" "manual_intervention" {
  for_each = var.datasets

  alarm_name        = "${var.name_prefix}-${each.key}-manual-intervention"
  alarm_description = "[warning] A run of ${each.key} failed as often as it is retried, and waits for somebody. The alert of the run has the error, the logs and the command that resumes it. Owner: ${each.value.owner}. Runbook: ${var.runbooks_url}/manual-intervention.md"

  namespace   = var.metrics_namespace
  metric_name = "ManualInterventions"
  dimensions  = { Dataset = each.key }

  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"

  alarm_actions = local.alarm_topic_arns.warning

  tags = each.value.tags
}

# Nothing else removes rows from the quarantine, and a run that was never started does not fail.
resource "aws_cloudwatch_metric_alarm" "maintenance" {
  for_each = var.datasets

  alarm_name        = "${var.name_prefix}-${each.key}-maintenance"
  alarm_description = "[warning] The tables of ${each.key} were not maintained for a week: quarantined rows stay beyond their time, and small files pile up. Look at the trigger ${var.name_prefix}-${each.key}-maintenance and at the last runs of the job ${var.name_prefix}-${each.key}-maintain. Owner: ${each.value.owner}. Runbook: ${var.runbooks_url}/maintenance-failed.md"

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

  alarm_actions = local.alarm_topic_arns.warning
  ok_actions    = local.alarm_topic_arns.warning

  tags = each.value.tags
}

# EventBridge counts the failures by itself, so these alarms work when our own code did not get to say anything.
locals {
  failure_alarms = {
    job-state = {
      name    = "failed-runs"
      text    = "A Glue job failed, timed out or was stopped. Read the alert of the run: it says whether the run is tried again. If there is none within 15 minutes, look at the function ${var.name_prefix}-handle-failure and at the run in the Glue console."
      runbook = "run-failed.md"
    }
    crawler-failed = {
      name    = "crawler-failed"
      text    = "The crawler of the raw zone failed. The batch is in its table, and nothing waits for the crawler; the catalog lacks the newest raw files."
      runbook = "crawler-failed.md"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "failures" {
  for_each = local.failure_alarms

  alarm_name        = "${var.name_prefix}-${each.value.name}"
  alarm_description = "[warning] ${each.value.text} Runbook: ${var.runbooks_url}/${each.value.runbook}"

  namespace   = "AWS/Events"
  metric_name = "TriggeredRules"
  dimensions  = { RuleName = aws_cloudwatch_event_rule.failure[each.key].name }

  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"

  alarm_actions = local.alarm_topic_arns.warning
}
