# One page for whoever is called: a row of graphs per dataset, then what they have in common.

locals {
  widget_height = 6

  # Widgets are laid out on a grid of 24 columns.
  dataset_rows = {
    for index, dataset in sort(keys(var.datasets)) : dataset => 1 + index * (1 + 2 * local.widget_height)
  }

  common_row = 1 + length(var.datasets) * (1 + 2 * local.widget_height)

  functions  = sort(concat(keys(var.functions), ["handle-failure", "probe-freshness", "resume-run"]))
  queues     = sort(concat(values(var.functions), ["failures", local.retry_queue_role]))
  log_groups = concat(var.job_log_groups, [for function in local.functions : "/aws/lambda/${var.name_prefix}-${function}"])

  # Alarms that tell people, the composite ones first.
  alarm_arns = concat(
    values(aws_cloudwatch_composite_alarm.not_as_promised)[*].arn,
    values(aws_cloudwatch_composite_alarm.error_budget)[*].arn,
    values(aws_cloudwatch_metric_alarm.rejected_batch)[*].arn,
    values(aws_cloudwatch_metric_alarm.quarantine_share)[*].arn,
    values(aws_cloudwatch_metric_alarm.manual_intervention)[*].arn,
    values(aws_cloudwatch_metric_alarm.maintenance)[*].arn,
    values(aws_cloudwatch_metric_alarm.failures)[*].arn,
  )

  dataset_widgets = flatten([
    for dataset, facts in var.datasets : [
      {
        type   = "text"
        x      = 0
        y      = local.dataset_rows[dataset]
        width  = 24
        height = 1
        properties = {
          markdown = "## ${dataset}: a batch every ${facts.freshness_hours} hours, ${facts.availability_percent} % of the time. Owner: ${facts.owner}"
        }
      },
      {
        type   = "metric"
        x      = 0
        y      = local.dataset_rows[dataset] + 1
        width  = 6
        height = local.widget_height
        properties = {
          title  = "Hours since a batch was published"
          region = var.account.region
          period = 300
          stat   = "Maximum"
          metrics = [
            [var.metrics_namespace, "HoursSincePublished", "Dataset", dataset, { label = "hours" }],
          ]
          annotations = { horizontal = [{ label = "promised", value = facts.freshness_hours }] }
          yAxis       = { left = { min = 0 } }
        }
      },
      {
        type   = "metric"
        x      = 6
        y      = local.dataset_rows[dataset] + 1
        width  = 6
        height = local.widget_height
        properties = {
          title                = "Error budget left of 30 days, %"
          region               = var.account.region
          view                 = "singleValue"
          setPeriodToTimeRange = true # one data point over all of it
          start                = "-P30D"
          end                  = "P0D"
          metrics = [
            [{ expression = "100 - 100 * (1 - fresh) * ${format("%.4f", local.full_burn[dataset])}", label = "left", id = "left" }],
            [var.metrics_namespace, "Fresh", "Dataset", dataset, { id = "fresh", stat = "Average", visible = false }],
          ]
        }
      },
      {
        type   = "metric"
        x      = 12
        y      = local.dataset_rows[dataset] + 1
        width  = 6
        height = local.widget_height
        properties = {
          title  = "Burn rate: 1 spends the budget in 30 days"
          region = var.account.region
          metrics = concat(
            [for window in ["1h", "6h", "1d"] : [{ expression = "(1 - fresh${window}) * ${format("%.4f", local.full_burn[dataset])}", label = window, id = "burn${window}" }]],
            [for window in ["1h", "6h", "1d"] : [var.metrics_namespace, "Fresh", "Dataset", dataset, { id = "fresh${window}", period = local.burn_windows[window].seconds, stat = "Average", visible = false }]],
          )
          annotations = { horizontal = [for window in ["1h", "6h", "1d"] : { label = "alarm of ${window}", value = local.burn_windows[window].rate }] }
          yAxis       = { left = { min = 0 } }
        }
      },
      {
        type   = "metric"
        x      = 18
        y      = local.dataset_rows[dataset] + 1
        width  = 6
        height = local.widget_height
        properties = {
          title   = "Why it is not fresh"
          region  = var.account.region
          period  = 300
          stat    = "Maximum"
          view    = "timeSeries"
          stacked = true
          metrics = [
            for cause in ["Missing", "Late", "Failed", "Rejected"] : [var.metrics_namespace, cause, "Dataset", dataset]
          ]
          yAxis = { left = { min = 0, max = 1 } }
        }
      },
      {
        type   = "metric"
        x      = 0
        y      = local.dataset_rows[dataset] + 1 + local.widget_height
        width  = 8
        height = local.widget_height
        properties = {
          title  = "Rows"
          region = var.account.region
          period = 3600
          stat   = "Sum"
          metrics = [
            for metric in ["RowsRead", "RowsInserted", "RowsUpdated", "RowsQuarantined"] : [var.metrics_namespace, metric, "Dataset", dataset]
          ]
        }
      },
      {
        type   = "metric"
        x      = 8
        y      = local.dataset_rows[dataset] + 1 + local.widget_height
        width  = 8
        height = local.widget_height
        properties = {
          title  = "Rows that cannot be used, %"
          region = var.account.region
          period = 3600
          stat   = "Maximum"
          metrics = [
            [var.metrics_namespace, "QuarantinePercent", "Dataset", dataset],
          ]
          annotations = {
            horizontal = [
              { label = "alarm", value = facts.max_quarantine_percent / 2 },
              { label = "rejected", value = facts.max_quarantine_percent },
            ]
          }
          yAxis = { left = { min = 0 } }
        }
      },
      {
        type   = "metric"
        x      = 16
        y      = local.dataset_rows[dataset] + 1 + local.widget_height
        width  = 8
        height = local.widget_height
        properties = {
          title  = "Seconds per job"
          region = var.account.region
          period = 3600
          stat   = "Maximum"
          metrics = [
            for metric in ["GateSeconds", "MergeSeconds", "MaintenanceSeconds"] : [var.metrics_namespace, metric, "Dataset", dataset]
          ]
          yAxis = { left = { min = 0 } }
        }
      },
    ]
  ])

  common_widgets = [
    {
      type       = "text"
      x          = 0
      y          = 0
      width      = 24
      height     = 1
      properties = { markdown = "# ${var.name_prefix} ([runbooks](${var.runbooks_url}/README.md))" }
    },
    {
      type       = "alarm"
      x          = 0
      y          = local.common_row
      width      = 8
      height     = local.widget_height
      properties = { title = "Alarms", alarms = local.alarm_arns }
    },
    {
      type   = "metric"
      x      = 8
      y      = local.common_row
      width  = 8
      height = local.widget_height
      properties = {
        title  = "Failures"
        region = var.account.region
        period = 3600
        stat   = "Sum"
        metrics = concat(
          [for rule, alarm in local.failure_alarms : ["AWS/Events", "TriggeredRules", "RuleName", aws_cloudwatch_event_rule.failure[rule].name, { label = alarm.name }]],
          [for dataset in sort(keys(var.datasets)) : [var.metrics_namespace, "ManualInterventions", "Dataset", dataset, { label = "${dataset} given up" }]],
          [for function in local.functions : ["AWS/Lambda", "Errors", "FunctionName", "${var.name_prefix}-${function}", { label = "${function} errors" }]],
        )
      }
    },
    {
      type   = "metric"
      x      = 16
      y      = local.common_row
      width  = 8
      height = local.widget_height
      properties = {
        title  = "Messages given up"
        region = var.account.region
        period = 300
        stat   = "Maximum"
        metrics = [
          for queue in local.queues : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${var.name_prefix}-${queue}-dlq", { label = queue }]
        ]
      }
    },
    {
      type   = "log"
      x      = 0
      y      = local.common_row + local.widget_height
      width  = 24
      height = local.widget_height
      properties = {
        title  = "Errors in the logs"
        region = var.account.region
        view   = "table"
        query = join(" | ", concat(
          [for group in local.log_groups : "SOURCE '${group}'"],
          ["fields @timestamp, @log, @message", "filter @message like /ERROR/", "sort @timestamp desc", "limit 50"],
        ))
      }
    },
  ]
}

resource "aws_cloudwatch_dashboard" "operations" {
  dashboard_name = var.name_prefix
  dashboard_body = jsonencode({ widgets = concat(local.common_widgets, local.dataset_widgets) })
}
