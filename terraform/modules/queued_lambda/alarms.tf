locals {
  # Why a message failed stands in the log alone: the function reports which messages failed and ends well.
  log_errors_namespace = "Lakegate/LogErrors"

  function_name = "${var.name_prefix}-${var.function_role}"
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = local.function_name
  log_group_name = aws_cloudwatch_log_group.function.name
  pattern        = "\"[ERROR]\""

  metric_transformation {
    namespace = local.log_errors_namespace
    name      = local.function_name
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name        = "${local.function_name}-errors"
  alarm_description = "[warning] The function ${local.function_name} failed, or could not handle a message. The message is delivered again up to ${var.max_receive_count} times; read the log group /aws/lambda/${local.function_name}. Runbook: ${var.runbooks_url}/function-errors.md"

  metric_query {
    id          = "errors"
    expression  = "FILL(failed, 0) + FILL(logged, 0)"
    label       = "Errors"
    return_data = true
  }

  metric_query {
    id = "failed"

    metric {
      namespace   = "AWS/Lambda"
      metric_name = "Errors"
      dimensions  = { FunctionName = local.function_name }
      period      = 300
      stat        = "Sum"
    }
  }

  metric_query {
    id = "logged"

    metric {
      namespace   = local.log_errors_namespace
      metric_name = aws_cloudwatch_log_metric_filter.errors.metric_transformation[0].name
      period      = 300
      stat        = "Sum"
    }
  }

  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"

  alarm_actions = var.alarm_topic_arns.warning
  ok_actions    = var.alarm_topic_arns.warning
}

# A throttled message comes again by itself; a quarter of an hour of it does not pass by itself.
resource "aws_cloudwatch_metric_alarm" "throttles" {
  alarm_name        = "${local.function_name}-throttles"
  alarm_description = "[warning] The function ${local.function_name} may not run as often as it is asked to, for 15 minutes: messages wait, and after ${var.max_receive_count} attempts they go to the dead letter queue. Look whether another function uses up the account's concurrency, and raise the reserved one. Runbook: ${var.runbooks_url}/function-throttles.md"

  namespace   = "AWS/Lambda"
  metric_name = "Throttles"
  dimensions  = { FunctionName = local.function_name }

  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"

  alarm_actions = var.alarm_topic_arns.warning
  ok_actions    = var.alarm_topic_arns.warning
}

resource "aws_cloudwatch_metric_alarm" "queue_age" {
  alarm_name        = "${local.queue_name}-queue-age"
  alarm_description = "[warning] A message waits in ${local.queue_name} for more than ${var.queue_age_alarm_minutes} minutes: a file is not loaded, or a failure is not handled. Look at the errors of the function ${local.function_name}, and whether its event source mapping is enabled. Runbook: ${var.runbooks_url}/queue-age.md"

  namespace   = "AWS/SQS"
  metric_name = "ApproximateAgeOfOldestMessage"
  dimensions  = { QueueName = local.queue_name }

  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 60 * var.queue_age_alarm_minutes
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"

  alarm_actions = var.alarm_topic_arns.warning
  ok_actions    = var.alarm_topic_arns.warning
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name        = "${local.queue_name}-dlq-depth"
  alarm_description = "[critical] A message could not be handled and waits in ${local.dead_letter_queue_name}: a file is not loaded, or nobody was told of a failure. Read it, mend the cause, then redrive it to ${local.queue_name}; it is lost after 14 days. Runbook: ${var.runbooks_url}/dlq-depth.md"

  namespace   = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions  = { QueueName = local.dead_letter_queue_name }

  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"

  alarm_actions = var.alarm_topic_arns.critical
  ok_actions    = var.alarm_topic_arns.critical
}
