# Jobs reach nothing but AWS's own APIs, over TLS and with their role, from Glue's network. Where policy wants them in a
# VPC all the same, this puts them there; which endpoints it then needs is in docs/deploy.md.

data "aws_subnet" "jobs" {
  for_each = toset(var.network[*].subnet_id)

  id = each.key
}

resource "aws_glue_connection" "network" {
  for_each = data.aws_subnet.jobs

  name            = "${var.name_prefix}-jobs"
  description     = "The subnet of the jobs."
  connection_type = "NETWORK"

  physical_connection_requirements {
    subnet_id              = each.value.id
    availability_zone      = each.value.availability_zone
    security_group_id_list = var.network.security_group_ids
  }
}

# What Glue needs to put a job into a subnet; nothing, without one.
data "aws_iam_policy_document" "network" {
  dynamic "statement" {
    for_each = var.network[*]

    content {
      sid       = "ReadConnection"
      actions   = ["glue:GetConnection"]
      resources = ["${local.glue_arn}:catalog", "${local.glue_arn}:connection/${var.name_prefix}-jobs"]
    }
  }

  dynamic "statement" {
    for_each = var.network[*]

    content {
      sid = "FindNetwork"

      actions = [
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcAttribute",
        "ec2:DescribeVpcEndpoints",
      ]

      resources = ["*"] # EC2 knows no resources for what it describes
    }
  }

  dynamic "statement" {
    for_each = var.network[*]

    content {
      sid     = "JoinNetwork"
      actions = ["ec2:CreateNetworkInterface"]

      resources = concat(
        ["${local.ec2_arn}:subnet/${statement.value.subnet_id}", "${local.ec2_arn}:network-interface/*"], # EC2 names it
        [for group in statement.value.security_group_ids : "${local.ec2_arn}:security-group/${group}"],
      )
    }
  }

  dynamic "statement" {
    for_each = var.network[*]

    content {
      sid       = "MarkInterface"
      actions   = ["ec2:CreateTags"]
      resources = ["${local.ec2_arn}:network-interface/*"] # EC2 names it

      condition {
        test     = "ForAllValues:StringEquals"
        variable = "aws:TagKeys"
        values   = ["aws-glue-service-resource"]
      }
    }
  }

  dynamic "statement" {
    for_each = var.network[*]

    content {
      sid       = "LeaveNetwork"
      actions   = ["ec2:DeleteNetworkInterface"]
      resources = ["${local.ec2_arn}:network-interface/*"] # EC2 names it; only what Glue made in this subnet

      condition {
        test     = "ArnEquals"
        variable = "ec2:Subnet"
        values   = ["${local.ec2_arn}:subnet/${statement.value.subnet_id}"]
      }
    }
  }
}
