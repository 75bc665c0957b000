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

variable "environment" {
  description = "Environment that the jobs name in reports and messages."
  type        = string
}

variable "datasets" {
  description = "Per dataset the tags of what is made for it, when its tables are maintained (cron, in UTC), and the size of gate and merge if they may run on Spark; each dataset has a workflow."
  type = map(object({
    tags                 = map(string)
    maintenance_schedule = string
    spark = optional(object({
      worker_type = optional(string, "G.1X")
      max_workers = optional(number, 10)
    }))
  }))
}

variable "buckets" {
  description = "Bucket names of the zones that the jobs read or write."
  type = object({
    raw        = string
    processed  = string
    quarantine = string
    docs       = string
    artifacts  = string
  })
}

variable "kms_key_arns" {
  description = "Keys of the sensitive zones and of the rest."
  type = object({
    sensitive = string
    general   = string
  })
}

variable "databases" {
  description = "Database names of the processed and quarantine zones."
  type = object({
    processed  = string
    quarantine = string
  })
}

variable "tables" {
  description = "Table name per zone and dataset."
  type = object({
    processed  = map(string)
    quarantine = map(string)
  })
}

variable "warehouse_arns" {
  description = "Registered S3 location of the processed and quarantine zones."
  type = object({
    processed  = string
    quarantine = string
  })
}

variable "crawlers" {
  description = "Crawler name per dataset."
  type        = map(string)
}

variable "security_configuration" {
  description = "Name of the Glue security configuration of the jobs."
  type        = string
}

variable "glue_modules" {
  description = "S3 URIs that the jobs install, in this order: the zips of wheels that lakegate needs, then its own wheel."
  type        = list(string)
}

variable "glue_scripts" {
  description = "S3 URI of the script of each job."
  type = object({
    gate     = string
    merge    = string
    maintain = string
  })
}

variable "expectations_uri" {
  description = "S3 URI of the folder of contracts and suites."
  type        = string
}

variable "alert_topic_arn" {
  description = "SNS topic for people."
  type        = string
}

variable "metrics_namespace" {
  description = "CloudWatch namespace of our metrics."
  type        = string
}

variable "runbooks_url" {
  description = "Where docs/runbooks can be read; every alert links to its page there."
  type        = string
}

variable "jobs" {
  description = "Limits of the jobs, and the size of those of one process, which use the driver only; two workers are Glue's minimum."
  type = object({
    worker_type         = optional(string, "G.1X")
    number_of_workers   = optional(number, 2)
    timeout_minutes     = optional(number, 60)
    max_concurrent_runs = optional(number, 10)
  })
  default = {}

  validation {
    condition     = var.jobs.number_of_workers >= 2
    error_message = "A Glue job of this type has at least two workers."
  }

  validation {
    condition     = var.jobs.timeout_minutes >= 1 && var.jobs.timeout_minutes <= 2880
    error_message = "A job may run for 1 minute to 2 days (2880 minutes): contracts rely on it (orphanAgeHours)."
  }
}

variable "network" {
  description = "Subnet and security groups of the jobs, for accounts where nothing may run outside a VPC; null is Glue's own network."
  type = object({
    subnet_id          = string
    security_group_ids = set(string)
  })
  default = null

  validation {
    condition     = var.network == null ? true : length(var.network.security_group_ids) > 0
    error_message = "network needs at least one security group; Glue wants it to let itself in."
  }
}

variable "log_retention_days" {
  description = "Days that the logs of the jobs are kept."
  type        = number
}

variable "permissions_boundary_arn" {
  description = "Policy that every role made here is bounded by; null for none."
  type        = string
  default     = null
}
