variable "name_prefix" {
  description = "What every name begins with: project and environment, such as lakegate-dev."
  type        = string
}

variable "results_bucket" {
  description = "Bucket of query results."
  type        = string
}

variable "results_key_arn" {
  description = "Key that encrypts query results."
  type        = string
}

variable "scan_limit_bytes" {
  description = "A query that reads more than this is cancelled."
  type        = number
  default     = 100 * 1024 * 1024 * 1024

  validation {
    condition     = var.scan_limit_bytes >= 10000000
    error_message = "Athena's smallest scan limit is 10,000,000 bytes."
  }
}

variable "force_destroy" {
  description = "Whether a destroy may delete workgroups with their history."
  type        = bool
}

variable "databases" {
  description = "Database names of the processed and quarantine zones."
  type = object({
    processed  = string
    quarantine = string
  })
}

variable "columns" {
  description = "Columns of each dataset's contract."
  type = map(list(object({
    name = string
    type = string
  })))
}

variable "quarantine_views" {
  description = "Per dataset the name of the view in the quarantine database that counts rows by reason."
  type        = map(string)
}

variable "open_columns" {
  description = "Columns that analysts may read, per dataset."
  type        = map(list(string))
}

variable "row_readers" {
  description = "Names of the readers of some rows, who query beside analysts and stewards."
  type        = set(string)
  default     = []
}
