variable "region" {
  description = "AWS region."
  type        = string
  default     = "eu-central-1"
}

variable "alert_emails" {
  description = "Addresses that every alert goes to."
  type        = set(string)

  validation {
    condition     = length(var.alert_emails) > 0
    error_message = "Somebody has to hear of a failure: give at least one address."
  }
}

variable "data_lake_admin_arns" {
  description = "Who may grant in Lake Formation, beside whoever applies this."
  type        = set(string)
  default     = []
}

variable "reader_principal_arns" {
  description = "Who may assume the analyst and the steward role. Empty: whoever the account's IAM allows to."
  type = object({
    analyst = optional(set(string), [])
    steward = optional(set(string), [])
  })
  default = {}
}

variable "artifacts_dir" {
  description = "Folder made by python -m scripts.package."
  type        = string
  default     = "../../../build/artifacts"
}
