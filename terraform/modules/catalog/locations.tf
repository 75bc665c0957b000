# Where the tables live is registered with a role of its own: readers get short-lived credentials for the columns
# they were granted, and need no access to the buckets. Staged batches lie outside of it: nobody queries them.

locals {
  s3_arn = "arn:${var.account.partition}:s3:::"

  warehouses = {
    processed  = "${local.s3_arn}${var.buckets.processed}/warehouse"
    quarantine = "${local.s3_arn}${var.buckets.quarantine}/warehouse"
  }
}

data "aws_iam_policy_document" "assume_lake_formation_role" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lakeformation.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "lake_formation" {
  name                 = "${var.name_prefix}-lake-formation"
  description          = "What Lake Formation reads tables with, on behalf of those it granted to."
  assume_role_policy   = data.aws_iam_policy_document.assume_lake_formation_role.json
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "lake_formation" {
  # Reading is all that is granted to anybody: the jobs write as their own roles.
  statement {
    sid       = "ReadTables"
    actions   = ["s3:GetObject"]
    resources = [for warehouse in local.warehouses : "${warehouse}/*"] # any file of any table
  }

  statement {
    sid     = "ListTables"
    actions = ["s3:ListBucket"]
    resources = [
      "${local.s3_arn}${var.buckets.processed}",
      "${local.s3_arn}${var.buckets.quarantine}",
    ]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["warehouse", "warehouse/*"] # any folder of any table
    }
  }

  statement {
    sid       = "ReadTablesWithKey"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arns.sensitive]
  }

  statement {
    sid       = "ReadOperations"
    actions   = ["s3:GetObject"]
    resources = ["${local.s3_arn}${var.buckets.docs}/${local.operations_folder}/*"] # one file a run
  }

  statement {
    sid       = "ListOperations"
    actions   = ["s3:ListBucket"]
    resources = ["${local.s3_arn}${var.buckets.docs}"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = [local.operations_folder, "${local.operations_folder}/*"] # any folder of any table
    }
  }

  statement {
    sid       = "ReadOperationsWithKey"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arns.general]
  }
}

resource "aws_iam_role_policy" "lake_formation" {
  name   = "lake-formation"
  role   = aws_iam_role.lake_formation.id
  policy = data.aws_iam_policy_document.lake_formation.json
}

resource "aws_lakeformation_resource" "warehouse" {
  for_each = local.warehouses

  arn      = each.value
  role_arn = aws_iam_role.lake_formation.arn

  depends_on = [
    aws_iam_role_policy.lake_formation,
    aws_lakeformation_data_lake_settings.account,
  ]
}
