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
  description = "Per dataset, the hours from one published batch to the next that its contract promises, in what share of the time, its owner, and the tags of what is made for it."
  type = map(object({
    freshness_hours      = number
    availability_percent = number
    owner                = string
    tags                 = map(string)
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

variable "job_names" {
  description = "Names of the Glue jobs whose failures are handled."
  type        = list(string)
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
