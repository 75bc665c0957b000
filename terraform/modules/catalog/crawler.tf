# The crawler only describes what landed. It runs last in the workflow, and it logs a changed schema instead of
# following it: the contract decides what a column is, and the gate is what notices a drift. docs/architecture.md says
# why the raw table is the crawler's, and not one with partition projection.

locals {
  glue_arn = "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}"
  logs_arn = "arn:${var.account.partition}:logs:${var.account.region}:${var.account.id}"

  # Written out instead of read from the crawlers: the failure rule needs the names, not the crawlers.
  crawler_names = { for dataset in keys(var.datasets) : dataset => "${var.name_prefix}-${dataset}-raw" }
}

data "aws_iam_policy_document" "assume_glue_role" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["glue.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "crawler" {
  name                 = "${var.name_prefix}-crawler"
  description          = "Describes the files of the raw zone in the catalog."
  assume_role_policy   = data.aws_iam_policy_document.assume_glue_role.json
  permissions_boundary = var.permissions_boundary_arn
}

data "aws_iam_policy_document" "crawler" {
  statement {
    sid       = "ListRaw"
    actions   = ["s3:ListBucket"]
    resources = ["${local.s3_arn}${var.buckets.raw}"]
  }

  statement {
    sid       = "ReadRaw"
    actions   = ["s3:GetObject"]
    resources = [for dataset in keys(var.datasets) : "${local.s3_arn}${var.buckets.raw}/${dataset}/*"] # any file there
  }

  statement {
    sid = "DescribeRaw"

    actions = [
      "glue:BatchCreatePartition",
      "glue:BatchGetPartition",
      "glue:CreatePartition",
      "glue:CreateTable",
      "glue:GetDatabase",
      "glue:GetPartition",
      "glue:GetPartitions",
      "glue:GetTable",
      "glue:GetTables",
      "glue:UpdatePartition",
      "glue:UpdateTable",
    ]

    resources = [
      "${local.glue_arn}:catalog",
      "${local.glue_arn}:database/${aws_glue_catalog_database.zone["raw"].name}",
      "${local.glue_arn}:table/${aws_glue_catalog_database.zone["raw"].name}/*", # the crawler names its tables
    ]
  }

  statement {
    sid       = "AskLakeFormation"
    actions   = ["lakeformation:GetDataAccess"]
    resources = ["*"] # knows no resources; the grants decide
  }

  statement {
    sid       = "ReadRawWithKey"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arns.general]
  }

  statement {
    sid = "WriteLog"

    actions = [
      "logs:AssociateKmsKey", # Glue makes the group, encrypted as the security configuration says
      "logs:CreateLogGroup",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
    ]

    resources = ["${local.logs_arn}:log-group:/aws-glue/crawlers*"] # Glue adds the security configuration to the name
  }
}

resource "aws_iam_role_policy" "crawler" {
  name   = "crawler"
  role   = aws_iam_role.crawler.id
  policy = data.aws_iam_policy_document.crawler.json
}

# The tables it creates are its own, so it needs no grant on them.
resource "aws_lakeformation_permissions" "crawler_raw" {
  principal   = aws_iam_role.crawler.arn
  permissions = ["CREATE_TABLE", "DESCRIBE"]

  database {
    name = aws_glue_catalog_database.zone["raw"].name
  }
}

resource "aws_glue_crawler" "raw" {
  for_each = var.datasets

  name                   = local.crawler_names[each.key]
  description            = "Describes the files of ${each.key} as they were received."
  role                   = aws_iam_role.crawler.arn
  database_name          = aws_glue_catalog_database.zone["raw"].name
  security_configuration = aws_glue_security_configuration.jobs.name

  s3_target {
    path = "s3://${var.buckets.raw}/${each.key}/"
  }

  # A crawl costs what a new day costs, however many came before.
  recrawl_policy {
    recrawl_behavior = "CRAWL_NEW_FOLDERS_ONLY" # which takes no behaviour but LOG
  }

  schema_change_policy {
    update_behavior = "LOG"
    delete_behavior = "LOG"
  }

  configuration = jsonencode({
    Version = 1.0
    CrawlerOutput = {
      Partitions = { AddOrUpdateBehavior = "InheritFromTable" }
    }
    Grouping = {
      TableGroupingPolicy     = "CombineCompatibleSchemas"
      TableLevelConfiguration = 2 # the bucket is level 1: one table per dataset folder, its dt= folders are partitions
    }
  })

  tags = each.value.tags

  depends_on = [
    aws_iam_role_policy.crawler,
    aws_lakeformation_permissions.crawler_raw,
  ]
}
