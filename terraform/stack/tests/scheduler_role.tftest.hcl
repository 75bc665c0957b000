mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name         = "lakegate-test-scheduler"
  description  = "Invokes a function."
  account_id   = "123456789012"
  function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:the-function"
  kms_key_arn  = "arn:aws:kms:eu-central-1:123456789012:key/the-key"
}

run "promises" {
  module {
    source = "../modules/scheduler_role"
  }

  assert {
    condition = alltrue(flatten([
      for statement in data.aws_iam_policy_document.assume.statement : [
        for condition in statement.condition : condition.values == tolist([var.account_id])
      ]
    ])) && length(data.aws_iam_policy_document.assume.statement[0].condition) == 1
    error_message = "Only schedules of this account may assume the role."
  }

  assert {
    condition     = !contains(flatten(data.aws_iam_policy_document.scheduler.statement[*].actions), "sqs:SendMessage")
    error_message = "Without a queue it sends to none."
  }
}

run "keeps_what_failed" {
  module {
    source = "../modules/scheduler_role"
  }

  variables {
    dead_letter_queue_arn = "arn:aws:sqs:eu-central-1:123456789012:the-dlq"
  }

  assert {
    condition = [
      for statement in data.aws_iam_policy_document.scheduler.statement :
      statement.resources if contains(statement.actions, "sqs:SendMessage")
    ] == [toset([var.dead_letter_queue_arn])]
    error_message = "It sends to the queue it was given, and to no other."
  }
}
