# The most that a role of the stack may ever do, whatever policy it is given: use data and its keys, never change who may
# do what. Each role's own policy is far narrower; what counts here is what is missing: iam, sts, organizations, key policies.

data "aws_iam_policy_document" "boundary" {
  #checkov:skip=CKV_AWS_108:A boundary grants nothing by itself; the policies of the roles name their actions and resources.
  #checkov:skip=CKV_AWS_109:A boundary grants nothing by itself; the policies of the roles name their actions and resources.
  #checkov:skip=CKV_AWS_110:A boundary grants nothing by itself; the policies of the roles name their actions and resources.
  #checkov:skip=CKV_AWS_111:A boundary grants nothing by itself; the policies of the roles name their actions and resources.
  #checkov:skip=CKV_AWS_356:A boundary grants nothing by itself; the policies of the roles name their actions and resources.

  statement {
    sid = "Use"

    actions = [
      "athena:*", # queries, and their work groups
      "cloudwatch:PutMetricData",
      "cloudwatch:GetMetric*", # data and statistics
      "cloudwatch:DescribeAlarms",
      "ec2:CreateNetworkInterface",
      "ec2:CreateTags",
      "ec2:DeleteNetworkInterface",
      "ec2:Describe*", # Glue looks where it joins
      "glue:*",        # jobs, catalog and workflows
      "kms:Decrypt",
      "kms:DescribeKey",
      "kms:GenerateDataKey",
      "lakeformation:GetDataAccess",
      "lambda:InvokeFunction",
      "logs:AssociateKmsKey",
      "logs:CreateLogGroup",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "s3:AbortMultipartUpload",
      "s3:DeleteObject",
      "s3:Get*",  # objects, versions and settings
      "s3:List*", # objects and versions
      "s3:PutObject",
      "sns:Publish",
      "sqs:*",     # queues of functions
      "xray:Put*", # segments and telemetry
    ]

    resources = ["*"] # a boundary grants nothing: the policies of the roles name their resources
  }
}

resource "aws_iam_policy" "boundary" {
  name        = "lakegate-deploy-${var.environment}-boundary"
  description = "The most that a role of ${var.environment} may do."
  policy      = data.aws_iam_policy_document.boundary.json
}
