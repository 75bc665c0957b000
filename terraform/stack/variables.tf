variable "project" {
  description = "First part of every name."
  type        = string
  default     = "lakegate"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,15}$", var.project))
    error_message = "project has 2 to 16 lower-case letters and digits: bucket names are built from it."
  }
}

variable "environment" {
  description = "Second part of every name."
  type        = string

  validation {
    condition     = contains(["local", "dev", "prod"], var.environment)
    error_message = "environment is local, dev or prod."
  }
}

variable "expectations_dir" {
  description = "Folder with lineage.yaml, quarantine.yaml, operations.yaml and a folder per dataset. A folder more is a dataset more."
  type        = string

  validation {
    condition     = length(fileset(var.expectations_dir, "*/contract.yaml")) > 0
    error_message = "expectations_dir holds no <dataset>/contract.yaml."
  }
}

variable "artifacts_dir" {
  description = "Folder with the built wheel and the zip of the functions."
  type        = string
}

variable "glue_scripts_dir" {
  description = "Folder with the entry scripts of the Glue jobs."
  type        = string
}

variable "alert_emails" {
  description = "Addresses that every alert goes to."
  type        = set(string)
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

variable "runbooks_url" {
  description = "Where docs/runbooks can be read; alarms and alerts link to their pages there."
  type        = string
  default     = "docs/runbooks" # of this repository

  validation {
    condition     = length(var.runbooks_url) > 0 && !endswith(var.runbooks_url, "/")
    error_message = "runbooks_url is where the pages are, without a slash at the end."
  }
}

variable "monthly_budget_usd" {
  description = "What the project may cost in this account in a month, in US dollars, before people are told."
  type        = number
  default     = 100
}

variable "force_destroy" {
  description = "Whether a destroy may delete buckets and workgroups that are not empty."
  type        = bool
  default     = false

  validation {
    condition     = !(var.force_destroy && var.environment == "prod")
    error_message = "In prod nothing that holds data is destroyed by force."
  }
}

variable "manage_lifecycle_rules" {
  description = "Whether Terraform writes the lifecycle rules of the buckets."
  type        = bool
  default     = true
}

variable "manage_data_lake_settings" {
  description = "Whether Terraform writes Lake Formation's settings, which hold for the whole account and region."
  type        = bool
  default     = true
}

variable "manage_catalog_encryption" {
  description = "Whether Terraform has Glue encrypt its catalog with our key, which holds for the whole account and region: false in an account whose catalog others use too."
  type        = bool
  default     = true
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

variable "jobs" {
  description = "Size and limits of the Glue jobs."
  type = object({
    worker_type         = optional(string, "G.1X")
    number_of_workers   = optional(number, 2)
    timeout_minutes     = optional(number, 60)
    max_concurrent_runs = optional(number, 10)
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

variable "lambda_reserved_concurrency" {
  description = "Most runs at a time of each function. -1 reserves none, for accounts whose quota is 10 in all."
  type        = number
  default     = 5
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch keeps logs for fixed periods only, such as 7, 30, 90 or 365 days."
  }
}

variable "query_scan_limit_bytes" {
  description = "A query that reads more than this is cancelled."
  type        = number
  default     = 100 * 1024 * 1024 * 1024
}

variable "retries" {
  description = "Retries of a failed run: how many, the wait before the first, how much longer each next wait is, and by how much chance may lengthen it."
  type = object({
    attempts       = optional(number, 3)
    base_seconds   = optional(number, 60)
    factor         = optional(number, 2)
    jitter_percent = optional(number, 10)
  })
  default = {}
}

variable "permissions_boundary_arn" {
  description = "Policy that every role made here is bounded by; null for none."
  type        = string
  default     = null
}
