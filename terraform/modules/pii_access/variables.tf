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

variable "databases" {
  description = "Database names of the processed and quarantine zones, and of the records of runs."
  type = object({
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

variable "results_bucket" {
  description = "Bucket of query results."
  type        = string
}

variable "results_key_arn" {
  description = "Key of the bucket of query results."
  type        = string
}

variable "workgroups" {
  description = "Athena workgroup of analysts and of stewards."
  type = object({
    analyst = string
    steward = string
  })
}

variable "result_prefixes" {
  description = "Where in the results bucket the workgroup of analysts and that of stewards write."
  type = object({
    analyst = string
    steward = string
  })
}

variable "principal_arns" {
  description = "Who may assume the analyst and the steward role. Empty: whoever the account's IAM allows to."
  type = object({
    analyst = optional(set(string), [])
    steward = optional(set(string), [])
  })
  default = {}
}
