# What a backfill, a replay and a look at how things are take beside the jobs' own rights: to find landed files, start
# and watch runs, read reports, records and alarms, and keep a record. No row is read and no zone but the docs is written: that is what the started jobs do.

locals {
  s3_arn        = "arn:${var.account.partition}:s3:::"
  docs_arn      = "${local.s3_arn}${var.docs_bucket}"
  workflow_arns = [for workflow in var.workflows : "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}:workflow/${workflow}"]
  records       = ["backfills", "replays"]
}

data "aws_iam_policy_document" "operate" {
  statement {
    sid = "StartAndWatchRuns"

    actions = [
      "glue:GetWorkflow",
      "glue:GetWorkflowRun",
      "glue:GetWorkflowRuns",
      "glue:ResumeWorkflowRun",
      "glue:StartWorkflowRun",
    ]

    resources = local.workflow_arns
  }

  statement {
    sid       = "FindLandedFiles"
    actions   = ["s3:ListBucketVersions"] # the names of files, which may name somebody, but no file
    resources = ["${local.s3_arn}${var.raw_bucket}"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = [for dataset in var.datasets : "${dataset}/dt=*"] # any day
    }
  }

  statement {
    sid     = "ReadReports"
    actions = ["s3:GetObject"]

    resources = concat(
      [for dataset in var.datasets : "${local.docs_arn}/runs/${dataset}/*"], # one folder a run
      ["${local.docs_arn}/operations/*"],                                    # records of all kinds
    )
  }

  statement {
    sid       = "ListDocs"
    actions   = ["s3:ListBucket"] # else a report that is not there is "forbidden" instead of "not found"
    resources = [local.docs_arn]
  }

  statement {
    sid       = "SeeAlarms"
    actions   = ["cloudwatch:DescribeAlarms"]
    resources = ["arn:${var.account.partition}:cloudwatch:${var.account.region}:${var.account.id}:alarm:*"] # a list is of all alarms
  }

  statement {
    sid       = "KeepRecords"
    actions   = ["s3:PutObject"]
    resources = [for kind in local.records : "${local.docs_arn}/operations/${kind}/*"] # one file a date or a batch
  }

  statement {
    sid       = "UseKeyOfDocs"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.account.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "operate" {
  name   = "operate"
  role   = var.role_name
  policy = data.aws_iam_policy_document.operate.json
}
