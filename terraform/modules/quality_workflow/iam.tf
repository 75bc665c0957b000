# A role per kind of job: the gate writes no table that dashboards read, and the merge takes nothing that was not gated.

locals {
  s3_arn   = "arn:${var.account.partition}:s3:::"
  glue_arn = "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}"
  ec2_arn  = "arn:${var.account.partition}:ec2:${var.account.region}:${var.account.id}"
  logs_arn = "arn:${var.account.partition}:logs:${var.account.region}:${var.account.id}"
  datasets = keys(var.datasets)

  # The zones whose tables the stage commits to. Rows that a replay merged leave the quarantine with the merge.
  written_zones = {
    gate  = ["quarantine"]
    merge = ["processed", "quarantine"]
  }
}

data "aws_iam_policy_document" "assume_job_role" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["glue.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "job" {
  for_each = local.descriptions

  name                 = "${var.name_prefix}-${each.key}-job"
  description          = each.value.role
  assume_role_policy   = data.aws_iam_policy_document.assume_job_role.json
  permissions_boundary = var.permissions_boundary_arn
}

# What every job does.
data "aws_iam_policy_document" "job" {
  source_policy_documents = [data.aws_iam_policy_document.network.json]

  statement {
    sid       = "ReadCode"
    actions   = ["s3:GetObject"]
    resources = ["${local.s3_arn}${var.buckets.artifacts}/*"] # the bucket holds nothing but code and contracts
  }

  statement {
    sid       = "ListCode"
    actions   = ["s3:ListBucket"]
    resources = ["${local.s3_arn}${var.buckets.artifacts}"]
  }

  statement {
    sid       = "WriteRunRecords"
    actions   = ["s3:PutObject"]
    resources = [for dataset in local.datasets : "${local.s3_arn}${var.buckets.docs}/runs/${dataset}/*"] # one folder a run
  }

  statement {
    sid       = "ListDocs"
    actions   = ["s3:ListBucket"] # else a file that is not there is "forbidden" instead of "not found"
    resources = ["${local.s3_arn}${var.buckets.docs}"]
  }

  statement {
    sid = "TemporaryFiles"

    actions = [
      "s3:AbortMultipartUpload",
      "s3:DeleteObject",
      "s3:GetObject",
      "s3:PutObject",
    ]

    resources = ["${local.s3_arn}${var.buckets.processed}/staging/_glue_temp/*"] # Glue names them
  }

  statement {
    sid       = "UseKeys"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arns.sensitive, var.kms_key_arns.general]
  }

  statement {
    sid       = "Measure"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"] # knows no resources; the namespace narrows it

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = [var.metrics_namespace, "Glue"] # Glue's own, for --enable-metrics
    }
  }

  statement {
    sid = "WriteLog"

    actions = [
      "logs:AssociateKmsKey",
      "logs:CreateLogGroup", # Glue asks for it even when the group is there
      "logs:CreateLogStream",
      "logs:PutLogEvents",
    ]

    resources = [
      "${local.logs_arn}:log-group:${local.log_group_prefix}*", # Glue may add the security configuration to the name
      "${local.logs_arn}:log-group:/aws-glue/jobs*",            # and writes there what comes before our script
    ]
  }
}

# What both stages of the workflow do beside.
data "aws_iam_policy_document" "stage" {
  source_policy_documents = [data.aws_iam_policy_document.job.json]

  statement {
    sid       = "ReadWhatStartedTheRun"
    actions   = ["glue:GetWorkflowRun"]
    resources = [for dataset in local.datasets : "${local.glue_arn}:workflow/${var.name_prefix}-${dataset}"]
  }

  statement {
    sid       = "FindLandedFile"
    actions   = ["s3:ListBucketVersions"] # a run knows the version of its file and the folder, not the name
    resources = ["${local.s3_arn}${var.buckets.raw}"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = [for dataset in local.datasets : "${dataset}/dt=*"] # any day
    }
  }

  statement {
    sid     = "RecordRuns"
    actions = ["s3:GetObject", "s3:PutObject"]

    resources = concat(
      [for dataset in local.datasets : "${local.s3_arn}${var.buckets.docs}/operations/runs/${dataset}/*"], # one file a run
      [for dataset in local.datasets : "${local.s3_arn}${var.buckets.docs}/operations/latest/${dataset}.json"],
    )
  }

  statement {
    sid       = "TellPeople"
    actions   = ["sns:Publish"]
    resources = [var.alert_topic_arn]
  }

  statement {
    sid     = "KeepCasesAndAlerts"
    actions = ["s3:GetObject", "s3:PutObject"]

    resources = concat(
      [for dataset in local.datasets : "${local.s3_arn}${var.buckets.docs}/operations/alerts/*/${dataset}/*"], # one document per alert
      [for dataset in local.datasets : "${local.s3_arn}${var.buckets.docs}/operations/cases/${dataset}/*"],    # one per file version
    )
  }

  statement {
    sid       = "EmptyOutbox"
    actions   = ["s3:DeleteObject"]
    resources = ["${local.s3_arn}${var.buckets.docs}/operations/alerts/waiting/*"] # one document per alert
  }
}

# What it takes to commit to the tables of a zone. The maintenance also deletes files that a commit has named; the others
# those of a commit that lost against another one.
data "aws_iam_policy_document" "tables" {
  for_each = var.databases

  statement {
    sid = "Write${title(each.key)}"

    actions = [
      "s3:AbortMultipartUpload",
      "s3:DeleteObject",
      "s3:GetObject",
      "s3:PutObject",
    ]

    resources = [for dataset in local.datasets : "${local.s3_arn}${var.buckets[each.key]}/warehouse/${dataset}/*"] # the table's files
  }

  statement {
    sid     = "Commit${title(each.key)}"
    actions = ["glue:GetDatabase", "glue:GetTable", "glue:UpdateTable"]

    resources = concat(
      ["${local.glue_arn}:catalog", "${local.glue_arn}:database/${each.value}"],
      [for dataset in local.datasets : "${local.glue_arn}:table/${each.value}/${dataset}"],
    )
  }
}

data "aws_iam_policy_document" "gate" {
  source_policy_documents = [
    data.aws_iam_policy_document.stage.json,
    data.aws_iam_policy_document.tables["quarantine"].json,
  ]

  statement {
    sid       = "ReadLandedFiles"
    actions   = ["s3:GetObjectVersion"]                                                            # a batch is one version of a file
    resources = [for dataset in local.datasets : "${local.s3_arn}${var.buckets.raw}/${dataset}/*"] # any file there
  }

  statement {
    sid       = "Stage"
    actions   = ["s3:PutObject"]
    resources = [for dataset in local.datasets : "${local.s3_arn}${var.buckets.processed}/staging/${dataset}/*"] # one folder a run
  }

  statement {
    sid     = "ListZones"
    actions = ["s3:ListBucket"] # else a file that is not there is "forbidden" instead of "not found"

    resources = [
      "${local.s3_arn}${var.buckets.processed}",
      "${local.s3_arn}${var.buckets.quarantine}",
      "${local.s3_arn}${var.buckets.raw}",
    ]
  }

  statement {
    sid       = "PublishDataDocs"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${local.s3_arn}${var.buckets.docs}/data-docs/*"] # pages of every run, and the index
  }

  statement {
    sid       = "RecordExpectations"
    actions   = ["s3:PutObject"]
    resources = [for dataset in local.datasets : "${local.s3_arn}${var.buckets.docs}/operations/expectation_results/${dataset}/*"] # one file a run
  }

  statement {
    sid       = "ReadHistory"
    actions   = ["s3:GetObject"]
    resources = [for dataset in local.datasets : "${local.s3_arn}${var.buckets.docs}/runs/${dataset}/history.json"]
  }
}

data "aws_iam_policy_document" "merge" {
  source_policy_documents = [
    data.aws_iam_policy_document.stage.json,
    data.aws_iam_policy_document.tables["processed"].json,
    data.aws_iam_policy_document.tables["quarantine"].json,
  ]

  statement {
    sid       = "ReadManifest"
    actions   = ["s3:GetObject"]
    resources = [for dataset in local.datasets : "${local.s3_arn}${var.buckets.docs}/runs/${dataset}/*"] # one folder a run
  }

  statement {
    sid       = "ResolveInterventions"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${local.s3_arn}${var.buckets.docs}/operations/interventions/*"] # one document per intervention
  }

  statement {
    sid       = "ReadStaged"
    actions   = ["s3:GetObject"]
    resources = [for dataset in local.datasets : "${local.s3_arn}${var.buckets.processed}/staging/${dataset}/*"] # one folder a run
  }

  statement {
    sid       = "ConfirmKeys"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = [for dataset in local.datasets : "${local.s3_arn}${var.buckets.processed}/confirmed/${dataset}/*"] # one file a batch
  }

  statement {
    sid     = "ListTables"
    actions = ["s3:ListBucket"] # else a file that is not there is "forbidden" instead of "not found"

    resources = [
      "${local.s3_arn}${var.buckets.processed}",
      "${local.s3_arn}${var.buckets.quarantine}", # which rows leave once they were merged
    ]
  }
}

resource "aws_iam_role_policy" "job" {
  for_each = {
    gate     = data.aws_iam_policy_document.gate.json
    merge    = data.aws_iam_policy_document.merge.json
    maintain = data.aws_iam_policy_document.maintain.json
  }

  name   = "${each.key}-job"
  role   = aws_iam_role.job[each.key].id
  policy = each.value
}
