variable "name" {
  description = "Name of the bucket."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "A bucket name has 3 to 63 lower-case letters, digits and hyphens; shorten project or environment."
  }
}

variable "kms_key" {
  description = "Key that encrypts every object; null for S3's own keys, the only ones that take access logs."
  type = object({
    arn = string
  })
}

variable "access_logs" {
  description = "Bucket that gets the access logs, under a prefix of this bucket's name; null for none."
  type = object({
    bucket = string
  })
  default = null
}

variable "delivery_account" {
  description = "Account for whose buckets S3 delivers access logs into this one; null for none."
  type        = string
  default     = null
}

variable "force_destroy" {
  description = "Whether a destroy may delete a bucket that still holds objects."
  type        = bool
}

variable "manage_lifecycle_rules" {
  description = "Whether Terraform writes the lifecycle rules of the bucket."
  type        = bool
}

variable "expirations" {
  description = "What expires: an id, the prefix (empty for the whole bucket) and the age in days."
  type = list(object({
    id     = string
    prefix = string
    days   = number
  }))
  default = []

  validation {
    condition     = alltrue([for rule in var.expirations : rule.days >= 1 && floor(rule.days) == rule.days])
    error_message = "Objects expire after a whole number of days, at least one."
  }
}

variable "cold_after_days" {
  description = "Days after which objects, and versions that were overwritten, go to Glacier Instant Retrieval: a third of the price, read at once; null for never."
  type        = number
  default     = null

  validation {
    condition     = var.cold_after_days == null || try(var.cold_after_days >= 1 && floor(var.cold_after_days) == var.cold_after_days, false)
    error_message = "Objects go to colder storage after a whole number of days, at least one."
  }
}

variable "noncurrent_days" {
  description = "Days that an overwritten or deleted version is kept."
  type        = number
}

variable "tags" {
  description = "Tags of the bucket, beside the provider's default tags."
  type        = map(string)
  default     = {}
}
