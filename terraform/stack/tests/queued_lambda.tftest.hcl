mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  function_role    = "start-workflow"
  queue_role       = "landing"
  description      = "Starts."
  handler          = "etl.lambdas.start_workflow.handler"
  environment      = {}
  policy_json      = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
  event_rule_names = ["landed"]
}

run "promises" {
  module {
    source = "../modules/queued_lambda"
  }

  assert {
    condition     = aws_lambda_function.function.architectures == tolist(["arm64"]) && aws_lambda_function.function.kms_key_arn == var.kms_key_arn && aws_lambda_function.function.tracing_config[0].mode == "Active"
    error_message = "A function runs on arm64, is traced, and its environment is encrypted with our key."
  }

  assert {
    condition     = aws_sqs_queue.work.sqs_managed_sse_enabled && aws_sqs_queue.dead_letter.sqs_managed_sse_enabled
    error_message = "Queues are encrypted."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.work.redrive_policy).deadLetterTargetArn == aws_sqs_queue.dead_letter.arn && aws_sqs_queue.dead_letter.message_retention_seconds == 1209600
    error_message = "What cannot be handled is kept as long as SQS keeps anything."
  }

  assert {
    condition     = aws_sqs_queue.work.visibility_timeout_seconds >= 6 * aws_lambda_function.function.timeout
    error_message = "A message stays hidden six times as long as the function may run."
  }

  assert {
    condition     = tolist(aws_lambda_event_source_mapping.queue.function_response_types) == tolist(["ReportBatchItemFailures"])
    error_message = "What fails is tried again alone."
  }

  assert {
    condition     = aws_cloudwatch_log_group.function.retention_in_days == 30 && aws_cloudwatch_log_group.function.kms_key_id == var.kms_key_arn
    error_message = "The log is encrypted and expires."
  }

  assert {
    condition     = alltrue([for statement in data.aws_iam_policy_document.queue.statement : statement.effect == "Deny" || length(statement.condition) > 0])
    error_message = "Nobody sends to the queue but the rules that are named."
  }

  assert {
    condition     = alltrue([for alarm in [aws_cloudwatch_metric_alarm.errors, aws_cloudwatch_metric_alarm.dead_letters] : length(alarm.alarm_actions) > 0])
    error_message = "Errors and dead letters reach people."
  }
}

run "wrong_values" {
  command = plan

  module {
    source = "../modules/queued_lambda"
  }

  variables {
    function_role        = "Start Workflow"
    queue_role           = "Landing_"
    timeout_seconds      = 901
    reserved_concurrency = 1
  }

  expect_failures = [var.function_role, var.queue_role, var.timeout_seconds, var.reserved_concurrency]
}
