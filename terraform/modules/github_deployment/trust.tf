# GitHub says in a token which repository a workflow is of, and what it runs for. Forks get no such token.

locals {
  name    = "lakegate-${var.environment}"
  issuer  = "token.actions.githubusercontent.com"
  subject = "repo:${var.github.repository}"

  subjects = {
    plan  = ["${local.subject}:pull_request", "${local.subject}:ref:refs/heads/${var.github.branch}"]
    apply = ["${local.subject}:environment:${var.environment}"]
  }
}

data "aws_iam_policy_document" "trust" {
  #checkov:skip=CKV_AWS_358:Every subject above names one repository and what it runs for; checkov does not follow for_each to them.
  for_each = local.subjects

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [var.github.provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = each.value
    }
  }
}

resource "aws_iam_role" "plan" {
  name                 = "lakegate-deploy-${var.environment}-plan"
  description          = "Plans ${var.environment} from GitHub; changes nothing but the lock of the state."
  assume_role_policy   = data.aws_iam_policy_document.trust["plan"].json
  max_session_duration = 3600
}

resource "aws_iam_role" "apply" {
  name                 = "lakegate-deploy-${var.environment}-apply"
  description          = "Applies ${var.environment} from GitHub."
  assume_role_policy   = data.aws_iam_policy_document.trust["apply"].json
  max_session_duration = 3600
}
