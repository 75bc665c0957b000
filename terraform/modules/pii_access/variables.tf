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
  description = "Per dataset, its columns (lineage columns too) with the classification that its contract gives them."
  type = map(list(object({
    name           = string
    classification = optional(string, "unclassified")
  })))

  validation {
    condition = alltrue([
      for columns in var.datasets : anytrue([for column in columns : contains(["public", "internal"], column.classification)])
    ])
    error_message = "A dataset opens at least one column to analysts: classify one as public or internal."
  }
}

variable "table_columns" {
  description = "Columns per zone and dataset that its table has now."
  type = object({
    processed  = map(list(string))
    quarantine = map(list(string))
  })
}

variable "row_readers" {
  description = "Readers of some rows: per reader a dataset, and the value that an open text column of it has in those rows."
  type = map(object({
    dataset = string
    column  = string
    value   = string
  }))
  default = {}

  validation {
    condition     = !anytrue([for reader in keys(var.row_readers) : contains(["analyst", "steward", "operator"], reader)])
    error_message = "analyst, steward and operator are readers of their own."
  }

  validation {
    condition = alltrue([
      for rows in var.row_readers : contains(
        [for column in var.datasets[rows.dataset] : column.name if contains(["public", "internal"], column.classification)],
        rows.column,
      )
    ])
    error_message = "Rows are told apart by a column that is public or internal: whoever reads the rows learns its value."
  }
}

variable "quarantine_columns" {
  description = "Columns of the quarantine tables, with their classification."
  type = list(object({
    name           = string
    classification = optional(string, "unclassified")
  }))
}

variable "databases" {
  description = "Database names of the raw, processed and quarantine zones, and of the records of runs."
  type = object({
    raw        = string
    processed  = string
    quarantine = string
    operations = string
  })
}

variable "tables" {
  description = "Table name per zone and dataset; of the records of runs, per kind."
  type = object({
    processed  = map(string)
    quarantine = map(string)
    operations = map(string)
  })
}

variable "quarantine_views" {
  description = "Per dataset the name of the view in the quarantine database that counts rows by reason."
  type        = map(string)
}

variable "results_bucket" {
  description = "Bucket of query results."
  type        = string
}

variable "results_key_arn" {
  description = "Key of the bucket of query results."
  type        = string
}

variable "workgroups" {
  description = "Athena workgroup of each kind of reader."
  type        = map(string)
}

variable "result_prefixes" {
  description = "Where in the results bucket the workgroup of each kind of reader writes."
  type        = map(string)
}

variable "principal_arns" {
  description = "Who may assume the analyst, the steward and the operator role, and per reader of rows its role. Empty: whoever the account's IAM allows to."
  type = object({
    analyst  = optional(set(string), [])
    steward  = optional(set(string), [])
    operator = optional(set(string), [])
    rows     = optional(map(set(string)), {})
  })
  default = {}
}

variable "permissions_boundary_arn" {
  description = "Policy that every role made here is bounded by; null for none."
  type        = string
  default     = null
}
