# Both queues name each other, and their policies name themselves, so ARNs are written out. Policies are inline and
# encryption is SQS's own: the provider waits 25 s for every queue resource, and a key of ours would put the wait
# for the key in front of it. A message names an object or a run; it holds no row.

locals {
  queue_name             = "${var.name_prefix}-${var.queue_role}"
  dead_letter_queue_name = "${local.queue_name}-dlq"
  sqs_arn                = "arn:${var.account.partition}:sqs:${var.account.region}:${var.account.id}"

  event_rule_arns = [
    for rule in sort(var.event_rule_names) :
    "arn:${var.account.partition}:events:${var.account.region}:${var.account.id}:rule/${rule}"
  ]
}

data "aws_iam_policy_document" "queue" {
  dynamic "statement" {
    for_each = length(local.event_rule_arns) > 0 ? [local.event_rule_arns] : []

    content {
      sid       = "TheRulesSend"
      actions   = ["sqs:SendMessage"]
      resources = ["${local.sqs_arn}:${local.queue_name}"]

      principals {
        type        = "Service"
        identifiers = ["events.amazonaws.com"]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = statement.value
      }
    }
  }

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["sqs:*"] # a Deny covers everything, so that no action is forgotten
    resources = ["${local.sqs_arn}:${local.queue_name}"]

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

data "aws_iam_policy_document" "dead_letter_queue" {
  dynamic "statement" {
    for_each = length(local.event_rule_arns) > 0 ? [local.event_rule_arns] : []

    content {
      sid       = "TheRulesKeepWhatTheyCannotDeliver"
      actions   = ["sqs:SendMessage"]
      resources = ["${local.sqs_arn}:${local.dead_letter_queue_name}"]

      principals {
        type        = "Service"
        identifiers = ["events.amazonaws.com"]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = statement.value
      }
    }
  }

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["sqs:*"] # a Deny covers everything, so that no action is forgotten
    resources = ["${local.sqs_arn}:${local.dead_letter_queue_name}"]

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

resource "aws_sqs_queue" "dead_letter" {
  name                      = local.dead_letter_queue_name
  message_retention_seconds = 14 * 24 * 3600 # the longest there is: somebody has to look first
  sqs_managed_sse_enabled   = true
  policy                    = data.aws_iam_policy_document.dead_letter_queue.json

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = ["${local.sqs_arn}:${local.queue_name}"]
  })
}

resource "aws_sqs_queue" "work" {
  name                       = local.queue_name
  message_retention_seconds  = 4 * 24 * 3600
  visibility_timeout_seconds = 6 * var.timeout_seconds
  sqs_managed_sse_enabled    = true
  policy                     = data.aws_iam_policy_document.queue.json

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter.arn # SQS refuses a dead letter queue that does not exist yet
    maxReceiveCount     = var.max_receive_count
  })
}
