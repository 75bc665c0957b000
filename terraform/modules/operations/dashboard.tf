# One page for whoever is called: a row of graphs per dataset, then what they have in common.

locals {
  widget_height = 6
  drawn_windows = ["1h", "6h", "1d"] # the long ones

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

  # What is drawn of a dataset, row by row; the widgets of a row share its width.
  graphs = {
    for dataset, facts in var.datasets : dataset => [
      [
        {
          title       = "Hours since a batch was published"
          period      = 300
          stat        = "Maximum"
          metrics     = [[var.metrics_namespace, "HoursSincePublished", "Dataset", dataset, { label = "hours" }]]
          annotations = { horizontal = [{ label = "promised", value = facts.freshness_hours }] }
          yAxis       = { left = { min = 0 } }
        },
        {
          title     = "Error budget left of 30 days, %"
          view      = "singleValue"
          sparkline = true
          period    = 300
          stat      = "Minimum"
          metrics   = [[var.metrics_namespace, "ErrorBudgetLeftPercent", "Dataset", dataset, { label = "left" }]]
        },
        {
          title = "Burn rate: 1 spends the budget in 30 days"
          metrics = concat(
            [for window in local.drawn_windows : [{ expression = "(1 - fresh${window}) * ${format("%.4f", local.full_burn[dataset])}", label = window, id = "burn${window}" }]],
            [for window in local.drawn_windows : [var.metrics_namespace, "Fresh", "Dataset", dataset, { id = "fresh${window}", period = local.burn_windows[window].seconds, stat = "Average", visible = false }]],
          )
          annotations = { horizontal = [for window in local.drawn_windows : { label = "alarm of ${window}", value = local.burn_windows[window].rate }] }
          yAxis       = { left = { min = 0 } }
        },
        {
          title   = "Why it is not fresh"
          period  = 300
          stat    = "Maximum"
          stacked = true
          metrics = [for cause in ["Missing", "Late", "Failed", "Rejected"] : [var.metrics_namespace, cause, "Dataset", dataset]]
          yAxis   = { left = { min = 0, max = 1 } }
        },
      ],
      [
        {
          title   = "Rows"
          period  = 3600
          stat    = "Sum"
          metrics = [for metric in ["RowsRead", "RowsInserted", "RowsUpdated", "RowsQuarantined"] : [var.metrics_namespace, metric, "Dataset", dataset]]
        },
        {
          title   = "Rows that cannot be used, %"
          period  = 3600
          stat    = "Maximum"
          metrics = [[var.metrics_namespace, "QuarantinePercent", "Dataset", dataset]]
          annotations = {
            horizontal = [
              { label = "alarm", value = facts.max_quarantine_percent / 2 },
              { label = "rejected", value = facts.max_quarantine_percent },
            ]
          }
          yAxis = { left = { min = 0 } }
        },
        {
          title   = "Seconds per job"
          period  = 3600
          stat    = "Maximum"
          metrics = [for metric in ["GateSeconds", "MergeSeconds", "MaintenanceSeconds"] : [var.metrics_namespace, metric, "Dataset", dataset]]
          yAxis   = { left = { min = 0 } }
        },
      ],
    ]
  }

  common_graphs = [
    {
      title  = "Failures"
      period = 3600
      stat   = "Sum"
      metrics = concat(
        [for rule, alarm in local.failure_alarms : ["AWS/Events", "TriggeredRules", "RuleName", aws_cloudwatch_event_rule.failure[rule].name, { label = alarm.name }]],
        [for dataset in sort(keys(var.datasets)) : [var.metrics_namespace, "ManualInterventions", "Dataset", dataset, { label = "${dataset} given up" }]],
        [for function in local.functions : ["AWS/Lambda", "Errors", "FunctionName", "${var.name_prefix}-${function}", { label = "${function} errors" }]],
      )
    },
    {
      title   = "Messages given up"
      period  = 300
      stat    = "Maximum"
      metrics = [for queue in local.queues : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${var.name_prefix}-${queue}-dlq", { label = queue }]]
    },
  ]

  headings = merge(
    { 0 = "# ${var.name_prefix} ([runbooks](${var.runbooks_url}/README.md))" },
    {
      for dataset, facts in var.datasets : local.dataset_rows[dataset] =>
      "## ${dataset}: a batch every ${facts.freshness_hours} hours, ${facts.availability_percent} % of the time. Owner: ${facts.owner}"
    },
  )

  widgets = flatten([
    [for row, text in local.headings : { type = "text", x = 0, y = tonumber(row), width = 24, height = 1, properties = { markdown = text } }],
    [
      for dataset, rows in local.graphs : [
        for row, graphs in rows : [
          for column, graph in graphs : {
            type       = "metric"
            x          = column * 24 / length(graphs)
            y          = local.dataset_rows[dataset] + 1 + row * local.widget_height
            width      = 24 / length(graphs)
            height     = local.widget_height
            properties = merge({ region = var.account.region }, graph)
          }
        ]
      ]
    ],
    [{ type = "alarm", x = 0, y = local.common_row, width = 8, height = local.widget_height, properties = { title = "Alarms", alarms = local.alarm_arns } }],
    [
      for column, graph in local.common_graphs : {
        type       = "metric"
        x          = 8 + 8 * column
        y          = local.common_row
        width      = 8
        height     = local.widget_height
        properties = merge({ region = var.account.region }, graph)
      }
    ],
    [
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
    ],
  ])
}

resource "aws_cloudwatch_dashboard" "operations" {
  dashboard_name = var.name_prefix
  dashboard_body = jsonencode({ widgets = local.widgets })
}
