# What the stack is made of, by service: how it is looked at, how it is changed, and what it is called. The planning role
# has the first, the applying role both.

locals {
  arn       = { for service in ["athena", "cloudwatch", "ec2", "events", "glue", "kms", "lambda", "logs", "scheduler", "sns", "sqs"] : service => "arn:${var.account.partition}:${service}:${var.account.region}:${var.account.id}" }
  iam_arn   = "arn:${var.account.partition}:iam::${var.account.id}"
  s3_arn    = "arn:${var.account.partition}:s3:::"
  databases = replace(local.name, "-", "_")

  # Resources that begin with the environment's name. Where it says ["*"], the service knows no resource for some of the
  # actions, or names it itself. Keys have no names; they are known by their tag.
  services = {
    Buckets = {
      read      = ["s3:GetAccelerateConfiguration", "s3:GetBucket*", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", "s3:ListBucket", "s3:ListTagsForResource"]
      write     = ["s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:ListBucketVersions", "s3:PutBucket*", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration", "s3:TagResource", "s3:UntagResource"]
      resources = ["${local.s3_arn}${local.name}-*"]
    }
    Code = {
      read      = ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion"]
      write     = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject", "s3:PutObjectTagging"]
      resources = ["${local.s3_arn}${local.name}-artifacts-*/*"]
    }
    DataThatADestroyDeletes = {
      read      = []
      write     = var.environment == "prod" ? [] : ["s3:DeleteObject", "s3:DeleteObjectVersion"]
      resources = ["${local.s3_arn}${local.name}-*/*"]
    }
    NewKeys = {
      read      = []
      write     = ["kms:CreateKey", "kms:TagResource"]
      resources = ["*"]
      tag       = "aws:RequestTag/environment"
    }
    Keys = {
      read      = ["kms:Decrypt", "kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"]
      write     = ["kms:CreateAlias", "kms:CreateGrant", "kms:DeleteAlias", "kms:EnableKeyRotation", "kms:Encrypt", "kms:GenerateDataKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription"]
      resources = ["${local.arn.kms}:key/*"]
      tag       = "aws:ResourceTag/environment"
    }
    Aliases = {
      read      = []
      write     = ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"]
      resources = ["${local.arn.kms}:alias/${local.name}-*"]
    }
    AllAliases = {
      read      = ["kms:ListAliases"]
      write     = []
      resources = ["*"]
    }
    Catalog = {
      read      = ["glue:Get*", "glue:List*"]
      write     = ["glue:Create*", "glue:Delete*", "glue:TagResource", "glue:UntagResource", "glue:Update*", "glue:StartTrigger", "glue:StopTrigger"]
      resources = concat(["${local.arn.glue}:catalog", "${local.arn.glue}:database/${local.databases}_*", "${local.arn.glue}:table/${local.databases}_*"], [for kind in ["connection", "crawler", "job", "trigger", "workflow"] : "${local.arn.glue}:${kind}/${local.name}-*"])
    }
    GlueEncryption = {
      read      = ["glue:GetSecurityConfiguration"]
      write     = ["glue:CreateSecurityConfiguration", "glue:DeleteSecurityConfiguration"]
      resources = ["*"]
    }
    Grants = {
      read      = ["lakeformation:Describe*", "lakeformation:Get*", "lakeformation:List*"]
      write     = ["lakeformation:AddLFTagsToResource", "lakeformation:Create*", "lakeformation:Delete*", "lakeformation:DeregisterResource", "lakeformation:GrantPermissions", "lakeformation:PutDataLakeSettings", "lakeformation:RegisterResource", "lakeformation:RemoveLFTagsFromResource", "lakeformation:RevokePermissions", "lakeformation:Update*"]
      resources = ["*"]
    }
    Functions = {
      read      = ["lambda:Get*", "lambda:List*"]
      write     = ["lambda:AddPermission", "lambda:CreateFunction", "lambda:DeleteFunction*", "lambda:PutFunction*", "lambda:RemovePermission", "lambda:TagResource", "lambda:UntagResource", "lambda:UpdateFunction*"]
      resources = ["${local.arn.lambda}:function:${local.name}-*"]
    }
    FunctionQueues = {
      read      = ["lambda:GetEventSourceMapping", "lambda:ListTags"]
      write     = ["lambda:CreateEventSourceMapping", "lambda:DeleteEventSourceMapping", "lambda:TagResource", "lambda:UntagResource", "lambda:UpdateEventSourceMapping"]
      resources = ["*"]
    }
    Messages = {
      read      = ["sqs:GetQueue*", "sqs:ListQueueTags", "sns:Get*", "sns:List*"]
      write     = ["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "sqs:TagQueue", "sqs:UntagQueue", "sns:CreateTopic", "sns:DeleteTopic", "sns:SetSubscriptionAttributes", "sns:SetTopicAttributes", "sns:Subscribe", "sns:TagResource", "sns:Unsubscribe", "sns:UntagResource"]
      resources = ["${local.arn.sqs}:${local.name}-*", "${local.arn.sns}:${local.name}-*"]
    }
    Events = {
      read      = ["events:Describe*", "events:List*", "scheduler:Get*", "scheduler:List*"]
      write     = ["events:CreateArchive", "events:DeleteArchive", "events:DeleteRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets", "events:TagResource", "events:UntagResource", "events:UpdateArchive", "scheduler:CreateSchedule*", "scheduler:DeleteSchedule*", "scheduler:TagResource", "scheduler:UntagResource", "scheduler:UpdateSchedule"]
      resources = ["${local.arn.events}:rule/${local.name}-*", "${local.arn.events}:rule/Events-Archive-${local.name}-*", "${local.arn.events}:archive/${local.name}-*", "${local.arn.events}:event-bus/default", "${local.arn.scheduler}:schedule/*/${local.name}-*", "${local.arn.scheduler}:schedule-group/${local.name}-*"]
    }
    Watching = {
      read      = ["cloudwatch:DescribeAlarms", "cloudwatch:GetDashboard", "cloudwatch:ListTagsForResource", "logs:DescribeLogGroups", "logs:DescribeMetricFilters", "logs:ListTags*"]
      write     = ["cloudwatch:DeleteAlarms", "cloudwatch:DeleteDashboards", "cloudwatch:PutCompositeAlarm", "cloudwatch:PutDashboard", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource"]
      resources = ["*"]
    }
    Logs = {
      read      = []
      write     = ["logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:DeleteMetricFilter", "logs:DeleteRetentionPolicy", "logs:DisassociateKmsKey", "logs:PutMetricFilter", "logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource"]
      resources = ["${local.arn.logs}:log-group:/aws/lambda/${local.name}-*", "${local.arn.logs}:log-group:/aws-glue/${local.name}*"]
    }
    Queries = {
      read      = ["athena:GetNamedQuery", "athena:GetWorkGroup", "athena:ListTagsForResource"]
      write     = ["athena:CreateNamedQuery", "athena:CreateWorkGroup", "athena:DeleteNamedQuery", "athena:DeleteWorkGroup", "athena:TagResource", "athena:UntagResource", "athena:UpdateNamedQuery", "athena:UpdateWorkGroup"]
      resources = ["${local.arn.athena}:workgroup/${local.name}*"]
    }
    Budget = {
      read      = ["budgets:ListTagsForResource", "budgets:ViewBudget"]
      write     = ["budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource"]
      resources = ["arn:${var.account.partition}:budgets::${var.account.id}:budget/${local.name}-*"]
    }
    Network = {
      read      = ["ec2:DescribeSubnets"]
      write     = []
      resources = ["*"]
    }
  }
}

data "aws_iam_policy_document" "state" {
  statement {
    sid       = "FindState"
    actions   = ["s3:GetEncryptionConfiguration", "s3:ListBucket"]
    resources = ["${local.s3_arn}${var.state.bucket}"]
  }

  statement {
    sid       = "ReadState"
    actions   = ["s3:GetObject"]
    resources = ["${local.s3_arn}${var.state.bucket}/lakegate/${var.environment}.tfstate"]
  }

  statement {
    sid       = "LockState"
    actions   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    resources = ["${local.s3_arn}${var.state.bucket}/lakegate/${var.environment}.tfstate.tflock"]
  }

  statement {
    sid       = "UseKeyOfState"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.state.key_arn]
  }
}

data "aws_iam_policy_document" "services" {
  for_each = toset(["read", "write"])

  dynamic "statement" {
    for_each = { for name, service in local.services : name => service if length(service[each.key]) > 0 }

    content {
      sid       = "${title(each.key)}${statement.key}"
      actions   = statement.value[each.key]
      resources = statement.value.resources

      dynamic "condition" {
        for_each = compact([try(statement.value.tag, "")])

        content {
          test     = "StringEquals"
          variable = condition.value
          values   = [var.environment]
        }
      }
    }
  }
}

data "aws_iam_policy_document" "read" {
  source_policy_documents = [
    data.aws_iam_policy_document.state.json,
    data.aws_iam_policy_document.services["read"].json,
  ]

  statement {
    sid       = "ReadRoles"
    actions   = ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies"]
    resources = ["${local.iam_arn}:role/${local.name}-*"] # the roles of the stack
  }
}

data "aws_iam_policy_document" "write" {
  source_policy_documents = [data.aws_iam_policy_document.services["write"].json]

  statement {
    sid       = "WriteState"
    actions   = ["s3:PutObject"]
    resources = ["${local.s3_arn}${var.state.bucket}/lakegate/${var.environment}.tfstate"]
  }
}

data "aws_iam_policy_document" "roles" {
  statement {
    sid       = "ChangeRoles"
    actions   = ["iam:DeleteRole", "iam:DeleteRolePolicy", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole"]
    resources = ["${local.iam_arn}:role/${local.name}-*"] # the roles of the stack
  }

  # A role without the boundary, or a policy on one, is refused: else who may make roles may do anything.
  statement {
    sid       = "MakeBoundedRoles"
    actions   = ["iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
    resources = ["${local.iam_arn}:role/${local.name}-*"] # the roles of the stack

    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = [aws_iam_policy.boundary.arn]
    }
  }

  statement {
    sid       = "HandRolesToServices"
    actions   = ["iam:PassRole"]
    resources = ["${local.iam_arn}:role/${local.name}-*"] # the roles of the stack

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = [for service in ["glue", "lakeformation", "lambda", "scheduler"] : "${service}.amazonaws.com"]
    }
  }
}

# In parts: IAM takes 6,144 characters each.
resource "aws_iam_policy" "access" {
  for_each = {
    read  = data.aws_iam_policy_document.read.json
    write = data.aws_iam_policy_document.write.json
    roles = data.aws_iam_policy_document.roles.json
  }

  name        = "lakegate-deploy-${var.environment}-${each.key}"
  description = "For the deployment of ${var.environment} from GitHub: ${each.key}."
  policy      = each.value
}

resource "aws_iam_role_policy_attachment" "plan" {
  role       = aws_iam_role.plan.name
  policy_arn = aws_iam_policy.access["read"].arn
}

resource "aws_iam_role_policy_attachment" "apply" {
  for_each = aws_iam_policy.access

  role       = aws_iam_role.apply.name
  policy_arn = each.value.arn
}
