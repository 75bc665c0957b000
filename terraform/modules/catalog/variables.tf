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
  description = "Per dataset, the columns that its contract declares, in their order, and the tags of what is made for it."
  type = map(object({
    description = string
    tags        = map(string)
    columns = list(object({
      name        = string
      type        = string
      description = string
    }))
  }))

  validation {
    condition     = alltrue([for name in keys(var.datasets) : can(regex("^[a-z][a-z0-9_]*$", name))])
    error_message = "A dataset folder is named in snake_case: the name becomes a table."
  }
}

variable "lineage_columns" {
  description = "Columns that Lakegate adds to every processed table."
  type = list(object({
    name        = string
    type        = string
    description = string
  }))
}

variable "quarantine_columns" {
  description = "Columns of every quarantine table."
  type = list(object({
    name        = string
    type        = string
    description = string
  }))
}

variable "operations_tables" {
  description = "Per table of run records, its columns; the records are JSON in the docs zone, under operations/<table>/ in the folders that are named: dataset, month."
  type = map(object({
    description = string
    folders     = list(string)
    columns = list(object({
      name        = string
      type        = string
      description = string
    }))
  }))
}

variable "buckets" {
  description = "Bucket names of the raw, processed, quarantine and docs zones."
  type = object({
    raw        = string
    processed  = string
    quarantine = string
    docs       = string
  })
}

variable "kms_key_arns" {
  description = "Keys of the sensitive zones and of the rest."
  type = object({
    sensitive = string
    general   = string
  })
}

variable "manage_data_lake_settings" {
  description = "Whether Terraform writes Lake Formation's settings. They hold for the whole account and region: false where another stack owns them."
  type        = bool
  default     = true
}

variable "manage_catalog_encryption" {
  description = "Whether Terraform has Glue encrypt its catalog with our key. That holds for the whole account and region, and what was encrypted stays unreadable without the key: false in an account whose catalog others use too."
  type        = bool
  default     = true
}

variable "data_lake_admin_arns" {
  description = "Who may grant in Lake Formation. Whoever applies this must be among them."
  type        = set(string)

  validation {
    condition     = length(var.data_lake_admin_arns) > 0
    error_message = "Without a data lake administrator nobody could grant anything."
  }
}

variable "permissions_boundary_arn" {
  description = "Policy that every role made here is bounded by; null for none."
  type        = string
  default     = null
}
