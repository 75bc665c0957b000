variable "name_prefix" {
  description = "What every name begins with: project and environment, such as lakegate-dev."
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

variable "datasets" {
  description = "Per dataset, the nightly schedule of its contract, in UTC."
  type = map(object({
    schedule = string
  }))

  validation {
    condition     = alltrue([for dataset in var.datasets : can(regex("^(cron|rate)\\(.+\\)$", dataset.schedule))])
    error_message = "A schedule is cron(...) or rate(...), as EventBridge Scheduler writes it."
  }
}

variable "raw_bucket" {
  description = "Bucket that files land in."
  type        = string
}

variable "archive_retention_days" {
  description = "Days in which a landing can be replayed."
  type        = number
  default     = 30

  validation {
    condition     = var.archive_retention_days >= 1 && floor(var.archive_retention_days) == var.archive_retention_days
    error_message = "The archive keeps landings for whole days, at least one: 0 would keep them for ever."
  }
}

variable "docs_bucket" {
  description = "Bucket of run records."
  type        = string
}

variable "workflows" {
  description = "Glue workflow name per dataset."
  type        = map(string)
}

variable "package" {
  description = "Bucket and key of the zip with the code of the function."
  type = object({
    bucket = string
    key    = string
  })
}

variable "kms_key_arn" {
  description = "Key of the log group, the environment of the function and the alert topic."
  type        = string
}

variable "alert_topic_arn" {
  description = "SNS topic for people."
  type        = string
}

variable "alarm_topic_arns" {
  description = "SNS topics that an alarm is sent to, per severity."
  type = object({
    critical = list(string)
    warning  = list(string)
  })
}

variable "runbooks_url" {
  description = "Where docs/runbooks can be read; every alarm links to its page there."
  type        = string
}

variable "reserved_concurrency" {
  description = "Most runs of the function at a time; -1 reserves none."
  type        = number
}

variable "log_retention_days" {
  description = "Days that the log is kept."
  type        = number
}

variable "permissions_boundary_arn" {
  description = "Policy that every role made here is bounded by; null for none."
  type        = string
  default     = null
}
