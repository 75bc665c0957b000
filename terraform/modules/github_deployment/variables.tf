variable "environment" {
  description = "The environment, which is also the name of GitHub's environment whose approval rules hold."
  type        = string
}

variable "account" {
  description = "Where this runs: account id, region and partition."
  type = object({
    id        = string
    region    = string
    partition = string
  })
}

variable "github" {
  description = "The repository, as owner/name, the branch that is deployed, and the ARN of the account's OIDC provider of GitHub."
  type = object({
    repository   = string
    branch       = string
    provider_arn = string
  })

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github.repository))
    error_message = "github.repository is owner/name, without wildcards: any repository that matches could deploy."
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9._/-]+$", var.github.branch))
    error_message = "github.branch is the name of one branch, without wildcards."
  }
}

variable "state" {
  description = "Where Terraform's state is: bucket and ARN of its key."
  type = object({
    bucket  = string
    key_arn = string
  })
}
