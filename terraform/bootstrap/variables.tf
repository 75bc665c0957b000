variable "region" {
  description = "AWS region of the state, and of the environments whose state it is."
  type        = string
}

variable "account_id" {
  description = "The AWS account; any other is refused."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id has 12 digits."
  }
}

variable "owner" {
  description = "Who answers for it: the tag owner."
  type        = string
}

variable "cost_centre" {
  description = "Who pays: the tag cost_centre."
  type        = string
}

variable "manage_lifecycle_rules" {
  description = "Whether Terraform writes lifecycle rules. Off offline, where the provider would wait 55 s for each."
  type        = bool
  default     = true
}

variable "github" {
  description = "Repository (owner/name) whose workflows deploy these environments, and from which branch; null for none. An account has one provider of GitHub: create_provider = false where it is there already."
  type = object({
    repository      = string
    branch          = optional(string, "main")
    environments    = optional(set(string), ["dev"])
    create_provider = optional(bool, true)
  })
  default = null

  validation {
    condition     = var.github == null ? true : length(setsubtract(var.github.environments, ["dev", "prod"])) == 0
    error_message = "github.environments are dev and prod, or one of them."
  }
}
