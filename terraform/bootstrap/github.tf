# Deployment from GitHub, for those who want it.

resource "aws_iam_openid_connect_provider" "github" {
  count = var.github == null ? 0 : var.github.create_provider ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

module "github_deployment" {
  source   = "../modules/github_deployment"
  for_each = var.github == null ? toset([]) : var.github.environments

  environment = each.key

  account = {
    id        = local.account_id
    region    = var.region
    partition = local.partition
  }

  github = {
    repository   = var.github.repository
    branch       = var.github.branch
    provider_arn = "arn:${local.partition}:iam::${local.account_id}:oidc-provider/token.actions.githubusercontent.com"
  }

  state = {
    bucket  = module.state.name
    key_arn = aws_kms_key.state.arn
  }

  depends_on = [aws_iam_openid_connect_provider.github]
}
