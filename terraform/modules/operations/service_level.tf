# Alarms on the burn rate of the error budget, after Google's SRE Workbook, chapter 5 ("Multiwindow, Multi-Burn-Rate
# Alerts"). The probe says every five minutes whether a dataset is fresh. The share of probes that are not, divided by
# the share that the contract allows, is the burn rate: at 1 the budget of 30 days lasts 30 days. A long window says
# that it matters, a short one that it goes on. docs/adr/0013-… has the arithmetic.

locals {
  burn_windows = {
    "1h"  = { seconds = 3600, rate = 14.4 } # 2 % of the budget of 30 days
    "5m"  = { seconds = 300, rate = 14.4 }
    "6h"  = { seconds = 21600, rate = 6 } # 5 %
    "30m" = { seconds = 1800, rate = 6 }
    "1d"  = { seconds = 86400, rate = 3 } # 10 %
    "2h"  = { seconds = 7200, rate = 3 }
  }

  # The burn rate of a dataset that is never fresh.
  full_burn = { for dataset, facts in var.datasets : dataset => 100 / (100 - facts.availability_percent) }

  burn_alarms = {
    for pair in setproduct(keys(var.datasets), keys(local.burn_windows)) :
    "${pair[0]}/${pair[1]}" => merge(local.burn_windows[pair[1]], { dataset = pair[0], window = pair[1] })
  }
}

# Members of the composite alarms below; by themselves they tell nobody.
resource "aws_cloudwatch_metric_alarm" "burn_rate" {
  for_each = local.burn_alarms

  alarm_name        = "${var.name_prefix}-${each.value.dataset}-burn-${each.value.window}"
  alarm_description = "[warning] Within ${each.value.window} ${each.value.dataset} was not fresh so often that its error budget burns ${each.value.rate} times as fast as it may. Runbook: ${var.runbooks_url}/error-budget.md"

  metric_query {
    id          = "burn"
    expression  = "(1 - fresh) * ${format("%.4f", local.full_burn[each.value.dataset])}"
    label       = "Burn rate"
    return_data = true
  }

  metric_query {
    id = "fresh"

    metric {
      namespace   = var.metrics_namespace
      metric_name = "Fresh"
      dimensions  = { Dataset = each.value.dataset }
      period      = each.value.seconds
      stat        = "Average"
    }
  }

  # A promise of less than 93 % cannot burn 14 times too fast: then the whole window has to be stale.
  threshold           = min(each.value.rate, 0.99 * local.full_burn[each.value.dataset])
  comparison_operator = "GreaterThanOrEqualToThreshold"
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching" # the freshness alarm tells of a probe that is gone

  tags = var.datasets[each.value.dataset].tags
}

resource "aws_cloudwatch_composite_alarm" "not_as_promised" {
  for_each = var.datasets

  alarm_name        = "${var.name_prefix}-${each.key}-not-as-promised"
  alarm_description = "[critical] The data of ${each.key} is not what its contract promises (a batch every ${each.value.freshness_hours} hours, ${each.value.availability_percent} % of the time), or nothing measures it. Readers see the last good batch. Start with `make status`: it says whether the file is missing, late, failed or rejected. Owner: ${each.value.owner}. Runbook: ${var.runbooks_url}/not-as-promised.md"

  alarm_rule = join(" OR ", [
    "ALARM(\"${aws_cloudwatch_metric_alarm.freshness[each.key].alarm_name}\")",
    "(ALARM(\"${aws_cloudwatch_metric_alarm.burn_rate["${each.key}/1h"].alarm_name}\") AND ALARM(\"${aws_cloudwatch_metric_alarm.burn_rate["${each.key}/5m"].alarm_name}\"))",
    "(ALARM(\"${aws_cloudwatch_metric_alarm.burn_rate["${each.key}/6h"].alarm_name}\") AND ALARM(\"${aws_cloudwatch_metric_alarm.burn_rate["${each.key}/30m"].alarm_name}\"))",
  ])

  alarm_actions = local.alarm_topic_arns.critical
  ok_actions    = local.alarm_topic_arns.critical

  tags = each.value.tags
}

resource "aws_cloudwatch_composite_alarm" "error_budget" {
  for_each = var.datasets

  alarm_name        = "${var.name_prefix}-${each.key}-error-budget"
  alarm_description = "[warning] ${each.key} spends its error budget three times too fast: a tenth of the ${format("%.0f", 432 * (100 - each.value.availability_percent))} minutes of 30 days within one. Nobody has to get up; find out within days why its batches come late. Owner: ${each.value.owner}. Runbook: ${var.runbooks_url}/error-budget.md"

  alarm_rule = join(" AND ", [
    for window in ["1d", "2h"] : "ALARM(\"${aws_cloudwatch_metric_alarm.burn_rate["${each.key}/${window}"].alarm_name}\")"
  ])

  alarm_actions = local.alarm_topic_arns.warning
  ok_actions    = local.alarm_topic_arns.warning

  tags = each.value.tags
}
