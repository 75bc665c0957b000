# Readers with the same policy in different places: each queries through its own workgroup into its own prefix, since
# a steward's results hold names, and others' rows. What they see of a table is not here but in the grants.

locals {
  readers = merge(
    {
      analyst = {
        description = "Reads the open columns of processed tables, and the records of runs."
        principals  = var.principal_arns.analyst
        databases   = [var.databases.processed, var.databases.operations]
      }
      steward = {
        description = "Reads every column, what was quarantined, and the records of runs."
        principals  = var.principal_arns.steward
        databases   = [var.databases.processed, var.databases.quarantine, var.databases.operations]
      }
      operator = {
        description = "Counts what was quarantined; reads the records of runs; runs backfills and replays."
        principals  = var.principal_arns.operator
        databases   = [var.databases.quarantine, var.databases.operations]
      }
    },
    {
      for reader, rows in var.row_readers : reader => {
        description = "Reads the open columns of some rows of ${rows.dataset}."
        principals  = lookup(var.principal_arns.rows, reader, [])
        databases   = [var.databases.processed]
      }
    },
  )

  glue_arn     = "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}"
  account_root = "arn:${var.account.partition}:iam::${var.account.id}:root"
  results_arn  = "arn:${var.account.partition}:s3:::${var.results_bucket}"
}

data "aws_iam_policy_document" "assume_reader_role" {
  for_each = local.readers

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = length(each.value.principals) > 0 ? each.value.principals : [local.account_root]
    }
  }
}

resource "aws_iam_role" "reader" {
  for_each = local.readers

  name                 = "${var.name_prefix}-${each.key}"
  description          = each.value.description
  assume_role_policy   = data.aws_iam_policy_document.assume_reader_role[each.key].json
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "reader" {
  for_each = local.readers

  statement {
    sid = "Query"

    actions = [
      "athena:BatchGetNamedQuery",
      "athena:GetNamedQuery",
      "athena:GetQueryExecution",
      "athena:GetQueryResults",
      "athena:GetWorkGroup",
      "athena:ListNamedQueries",
      "athena:ListQueryExecutions",
      "athena:StartQueryExecution",
      "athena:StopQueryExecution",
    ]

    resources = [
      "arn:${var.account.partition}:athena:${var.account.region}:${var.account.id}:workgroup/${var.workgroups[each.key]}",
    ]
  }

  statement {
    sid = "ReadCatalog"

    actions = [
      "glue:GetDatabase",
      "glue:GetDatabases",
      "glue:GetPartition",
      "glue:GetPartitions",
      "glue:GetTable",
      "glue:GetTables",
    ]

    resources = concat(
      ["${local.glue_arn}:catalog"],
      [for database in each.value.databases : "${local.glue_arn}:database/${database}"],
      [for database in each.value.databases : "${local.glue_arn}:table/${database}/*"], # the grants decide which
    )
  }

  statement {
    sid       = "AskLakeFormation"
    actions   = ["lakeformation:GetDataAccess"]
    resources = ["*"] # knows no resources; the grants decide
  }

  statement {
    sid       = "FindResults"
    actions   = ["s3:GetBucketLocation"]
    resources = [local.results_arn]
  }

  statement {
    sid       = "ListOwnResults"
    actions   = ["s3:ListBucket"]
    resources = [local.results_arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${var.result_prefixes[each.key]}*"] # below the own prefix
    }
  }

  statement {
    sid = "OwnResults"

    actions = [
      "s3:AbortMultipartUpload",
      "s3:GetObject",
      "s3:ListMultipartUploadParts",
      "s3:PutObject",
    ]

    resources = ["${local.results_arn}/${var.result_prefixes[each.key]}*"] # below the own prefix
  }

  statement {
    sid       = "EncryptResults"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.results_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.account.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "reader" {
  for_each = local.readers

  name   = "query"
  role   = aws_iam_role.reader[each.key].id
  policy = data.aws_iam_policy_document.reader[each.key].json
}
