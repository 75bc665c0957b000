mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment = "dev"
  github      = { repository = "example/lakegate", branch = "main", provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
  state       = { bucket = "state", key_arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-1111-1111-1111-111111111111" }
}

run "promises" {
  module {
    source = "../modules/github_deployment"
  }

  assert {
    condition     = one(local.subjects.apply) == "repo:example/lakegate:environment:dev" && alltrue([for subject in local.subjects.plan : startswith(subject, "repo:example/lakegate:") && !strcontains(subject, "*")])
    error_message = "One repository deploys: it applies in GitHub's environment of that name, and plans for pull requests and one branch."
  }

  assert {
    condition     = alltrue([for trust in data.aws_iam_policy_document.trust : length([for condition in trust.statement[0].condition : condition if condition.test == "StringEquals"]) == 2])
    error_message = "Audience and subject are compared as they are, without wildcards."
  }

  assert {
    condition     = length([for statement in data.aws_iam_policy_document.roles.statement : statement if contains(statement.actions, "iam:CreateRole") && anytrue([for condition in statement.condition : condition.variable == "iam:PermissionsBoundary"])]) == 1
    error_message = "Roles are made inside the boundary only."
  }

  assert {
    condition     = alltrue([for action in data.aws_iam_policy_document.boundary.statement[0].actions : !startswith(action, "iam:") && !startswith(action, "sts:") && action != "kms:*"])
    error_message = "Nobody inside the boundary changes who may do what."
  }

  assert {
    condition     = alltrue(flatten([for service in local.services : [for action in service.read : length(regexall(":(Get|List|Describe|View|Decrypt)", action)) == 1]]))
    error_message = "Who plans changes nothing."
  }
}

run "wildcard_repository" {
  command = plan

  module {
    source = "../modules/github_deployment"
  }

  variables {
    github = { repository = "example/*", branch = "main", provider_arn = "arn:aws:iam::123456789012:oidc-provider/x" }
  }

  expect_failures = [var.github]
}
