mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  role_name = "operator"
  datasets  = ["employee", "visit"]
}

run "promises" {
  module {
    source = "../modules/operators"
  }

  assert {
    condition     = aws_iam_role_policy.operate.role == "operator"
    error_message = "It is the role of operators that may operate."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.operate.statement : alltrue([
        for resource in statement.resources : !startswith(resource, "arn:aws:s3:::the-raw/")
      ])
    ])
    error_message = "An operator lists what landed, and reads no file of it."
  }

  assert {
    condition     = alltrue([for statement in data.aws_iam_policy_document.operate.statement : !contains(statement.resources, "*")])
    error_message = "Nothing is allowed on everything."
  }
}
