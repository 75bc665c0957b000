variable "role_name" {
  description = "Role of operators."
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
  description = "Names of the datasets."
  type        = set(string)
}

variable "workflows" {
  description = "Glue workflow name per dataset."
  type        = map(string)
}

variable "raw_bucket" {
  description = "Bucket that files land in."
  type        = string
}

variable "docs_bucket" {
  description = "Bucket of run records."
  type        = string
}

variable "kms_key_arn" {
  description = "Key of the docs bucket."
  type        = string
}
