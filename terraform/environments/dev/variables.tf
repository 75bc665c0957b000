variable "region" {
  description = "AWS region."
  type        = string
}

variable "account_id" {
  description = "The AWS account of this environment; any other is refused."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id has 12 digits."
  }
}

variable "owner" {
  description = "Who answers for this environment: the tag owner of all that no dataset's contract gives another."
  type        = string

  validation {
    condition     = can(regex("^[\\p{L}\\p{N} _.:/=+@-]{1,256}$", var.owner))
    error_message = "owner is 1 to 256 letters, digits, spaces or _.:/=+@-, as a tag may hold."
  }
}

variable "cost_centre" {
  description = "Who pays: the tag cost_centre of everything."
  type        = string

  validation {
    condition     = can(regex("^[\\p{L}\\p{N} _.:/=+@-]{1,256}$", var.cost_centre))
    error_message = "cost_centre is 1 to 256 letters, digits, spaces or _.:/=+@-, as a tag may hold."
  }
}

variable "alert_emails" {
  description = "Addresses that every alert goes to."
  type        = set(string)

  validation {
    condition     = length(var.alert_emails) > 0
    error_message = "Somebody has to hear of a failure: give at least one address."
  }
}

variable "alert_subscribers" {
  description = "Who else is told: a chat, a pager, a queue; modules/operations has the fields."
  type = map(object({
    protocol        = string
    endpoint        = string
    only_critical   = optional(bool, false)
    confirms_itself = optional(bool, false)
  }))
  default   = {}
  sensitive = true
}

variable "data_lake_admin_arns" {
  description = "Who may grant in Lake Formation, beside whoever applies this."
  type        = set(string)
  default     = []
}

variable "reader_principal_arns" {
  description = "Who may assume the analyst, the steward and the operator role, and per reader of rows its role. Empty: whoever the account's IAM allows to."
  type = object({
    analyst  = optional(set(string), [])
    steward  = optional(set(string), [])
    operator = optional(set(string), [])
    rows     = optional(map(set(string)), {})
  })
  default = {}
}

variable "network" {
  description = "Subnet and security groups of the jobs, for accounts where nothing may run outside a VPC; null is Glue's own network."
  type = object({
    subnet_id          = string
    security_group_ids = set(string)
  })
  default = null
}

variable "artifacts_dir" {
  description = "Folder made by python -m scripts.package."
  type        = string
  default     = "../../../build/artifacts"
}

variable "permissions_boundary_arn" {
  description = "Policy that every role made here is bounded by; null for none. The bootstrap's output github names it, where workflows of GitHub deploy."
  type        = string
  default     = null
}
