resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name        = "${var.name_prefix}-${var.function_role}-errors"
  alarm_description = "The function ${var.name_prefix}-${var.function_role} failed. Its message is delivered again up to ${var.max_receive_count} times; read the log group /aws/lambda/${var.name_prefix}-${var.function_role}."

  namespace   = "AWS/Lambda"
  metric_name = "Errors"
  dimensions  = { FunctionName = "${var.name_prefix}-${var.function_role}" }

  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.alert_topic_arn]
  ok_actions    = [var.alert_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name        = "${var.name_prefix}-${var.queue_role}-dlq-depth"
  alarm_description = "A message could not be handled and waits in ${local.dead_letter_queue_name}. Read it, mend the cause, then redrive it to ${local.queue_name}; it is lost after 14 days."

  namespace   = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions  = { QueueName = local.dead_letter_queue_name }

  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.alert_topic_arn]
  ok_actions    = [var.alert_topic_arn]
}
