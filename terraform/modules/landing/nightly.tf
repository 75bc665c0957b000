# Once a night the same function is asked for every dataset: it picks up a file whose event was lost.

data "aws_iam_policy_document" "assume_scheduler_role" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account.id]
    }
  }
}

resource "aws_iam_role" "scheduler" {
  name                 = "${var.name_prefix}-scheduler"
  description          = "Invokes the start-workflow function every night."
  assume_role_policy   = data.aws_iam_policy_document.assume_scheduler_role.json
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "scheduler" {
  statement {
    sid       = "InvokeFunction"
    actions   = ["lambda:InvokeFunction"]
    resources = [module.start_workflow.function_arn]
  }

  statement {
    sid       = "KeepWhatFailed"
    actions   = ["sqs:SendMessage"]
    resources = [module.start_workflow.dead_letter_queue_arn]
  }

  statement {
    sid       = "ReadScheduleInput"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]
  }
}

resource "aws_iam_role_policy" "scheduler" {
  name   = "scheduler"
  role   = aws_iam_role.scheduler.id
  policy = data.aws_iam_policy_document.scheduler.json
}

resource "aws_scheduler_schedule" "nightly" {
  for_each = var.datasets

  name        = "${var.name_prefix}-${each.key}-nightly"
  description = "Nightly look for a batch of ${each.key}."

  schedule_expression          = each.value.schedule
  schedule_expression_timezone = "UTC"
  kms_key_arn                  = var.kms_key_arn

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }

  target {
    arn      = module.start_workflow.function_arn
    role_arn = aws_iam_role.scheduler.arn
    input    = jsonencode({ dataset = each.key, trigger = "nightly" })

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 3
    }

    dead_letter_config {
      arn = module.start_workflow.dead_letter_queue_arn
    }
  }
}
