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
  description = "What the contract of each dataset promises: a batch every so many hours, in so many percent of the time, with at most so many percent of rows set aside; its owner, and the tags of what is made for it."
  type = map(object({
    freshness_hours        = number
    availability_percent   = number
    max_quarantine_percent = number
    owner                  = string
    tags                   = map(string)
  }))

  validation {
    condition = alltrue([
      for dataset in var.datasets :
      floor(dataset.freshness_hours) == dataset.freshness_hours && dataset.freshness_hours >= 1 && dataset.freshness_hours <= 168
    ])
    error_message = "Freshness is promised in whole hours, 1 to 168: a CloudWatch alarm looks back seven days at most."
  }

  validation {
    condition     = alltrue([for dataset in var.datasets : dataset.availability_percent >= 90 && dataset.availability_percent < 100])
    error_message = "Availability is promised as 90 to less than 100 percent: without an error budget every late minute breaks the promise."
  }
}

variable "alert_emails" {
  description = "Addresses that every alert goes to; each has to confirm its subscription once."
  type        = set(string)

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "alert_emails holds e-mail addresses."
  }
}

variable "alert_subscribers" {
  description = "Who else is told, by a name of your choice: a chat, a pager or a queue, such as { pager = { protocol = \"https\", endpoint = \"https://…\", only_critical = true } }. confirms_itself is for endpoints that answer SNS's confirmation. Sensitive, for such an address is often a secret."
  type = map(object({
    protocol        = string
    endpoint        = string
    only_critical   = optional(bool, false)
    confirms_itself = optional(bool, false)
  }))
  sensitive = true

  validation {
    condition     = alltrue([for subscriber in var.alert_subscribers : contains(["https", "sqs", "lambda", "email", "sms"], subscriber.protocol)])
    error_message = "A subscriber's protocol is https, sqs, lambda, email or sms."
  }
}

variable "runbooks_url" {
  description = "Where docs/runbooks can be read; every alarm links to its page there."
  type        = string
}

variable "project" {
  description = "Value of the tag `project`, by which the budget counts costs."
  type        = string
}

variable "monthly_budget_usd" {
  description = "What the project may cost in this account in a month, in US dollars; people are told at 80 % of it, and when the forecast exceeds it."
  type        = number

  validation {
    condition     = var.monthly_budget_usd > 0
    error_message = "A budget is more than 0 dollars."
  }
}

variable "job_names" {
  description = "Names of the Glue jobs whose failures are handled."
  type        = list(string)
}

variable "job_log_groups" {
  description = "Log groups of the Glue jobs, for the dashboard."
  type        = list(string)
}

variable "functions" {
  description = "Functions of other modules that the dashboard shows: for the role of each, that of its queue."
  type        = map(string)
}

variable "crawler_names" {
  description = "Names of the Glue crawlers whose failures are handled."
  type        = list(string)
}

variable "docs_bucket" {
  description = "Bucket of run records."
  type        = string
}

variable "raw_bucket" {
  description = "Bucket that files land in."
  type        = string
}

variable "package" {
  description = "Bucket and key of the zip with the code of the function."
  type = object({
    bucket = string
    key    = string
  })
}

variable "kms_key_arn" {
  description = "Key of the topic, the log group and the environment of the function."
  type        = string
}

variable "metrics_namespace" {
  description = "CloudWatch namespace of our metrics."
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

variable "retries" {
  description = "Retries of a failed run: how many, the wait before the first, how much longer each next wait is, and by how much chance may lengthen it."
  type = object({
    attempts       = optional(number, 3)
    base_seconds   = optional(number, 60)
    factor         = optional(number, 2)
    jitter_percent = optional(number, 10)
  })
  default = {}

  validation {
    condition = alltrue([
      for number in [var.retries.attempts, var.retries.base_seconds, var.retries.jitter_percent] :
      number >= 0 && floor(number) == number
    ]) && var.retries.factor >= 1
    error_message = "retries holds whole numbers from 0 up; factor may be any number from 1 up."
  }

  validation {
    condition     = var.retries.base_seconds * pow(var.retries.factor, max(var.retries.attempts, 1) - 1) * (1 + var.retries.jitter_percent / 100) <= 900
    error_message = "SQS delays a message for 900 seconds at most, and the longest wait of retries is longer."
  }
}

variable "permissions_boundary_arn" {
  description = "Policy that every role made here is bounded by; null for none."
  type        = string
  default     = null
}
