# Everything goes to `alerts`. An address that wants to hear of what is critical alone is subscribed to it with a filter
# on the attribute `severity`, which drops every alarm: what CloudWatch sends has no attributes. So critical alarms go
# to `critical` as well, and that is where such an address hears of them.

locals {
  topic_arns = {
    alerts   = aws_sns_topic.alerts.arn
    critical = aws_sns_topic.critical.arn
  }

  alarm_topic_arns = {
    critical = [aws_sns_topic.alerts.arn, aws_sns_topic.critical.arn]
    warning  = [aws_sns_topic.alerts.arn]
  }

  # Names are not secret, addresses may be.
  subscribers        = nonsensitive(toset(keys(var.alert_subscribers)))
  critical_only      = nonsensitive(toset([for name, subscriber in var.alert_subscribers : name if subscriber.only_critical]))
  severity_attribute = jsonencode({ severity = ["critical"] })
}

resource "aws_sns_topic" "alerts" {
  name              = "${var.name_prefix}-alerts"
  display_name      = "Lakegate ${var.name_prefix}"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic" "critical" {
  name              = "${var.name_prefix}-critical-alarms"
  display_name      = "Lakegate ${var.name_prefix} critical"
  kms_master_key_id = var.kms_key_arn
}

data "aws_iam_policy_document" "topic" {
  for_each = local.topic_arns

  statement {
    sid       = "AlarmsAndBudgetsPublish"
    actions   = ["sns:Publish"]
    resources = [each.value]

    principals {
      type        = "Service"
      identifiers = ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account.id]
    }
  }

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [each.value]

    principals {
      type        = "*" # nobody is exempt
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sns_topic_policy" "topic" {
  for_each = local.topic_arns

  arn    = each.value
  policy = data.aws_iam_policy_document.topic[each.key].json
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.alert_emails

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_sns_topic_subscription" "subscriber" {
  for_each = local.subscribers

  topic_arn              = aws_sns_topic.alerts.arn
  protocol               = var.alert_subscribers[each.key].protocol
  endpoint               = var.alert_subscribers[each.key].endpoint
  endpoint_auto_confirms = var.alert_subscribers[each.key].confirms_itself
  filter_policy          = contains(local.critical_only, each.key) ? local.severity_attribute : null
}

resource "aws_sns_topic_subscription" "critical_alarms" {
  for_each = local.critical_only

  topic_arn              = aws_sns_topic.critical.arn
  protocol               = var.alert_subscribers[each.key].protocol
  endpoint               = var.alert_subscribers[each.key].endpoint
  endpoint_auto_confirms = var.alert_subscribers[each.key].confirms_itself
}
