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

variable "function_role" {
  description = "What the function is for, in kebab-case; function, role and alarms are named by it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*$", var.function_role))
    error_message = "function_role is kebab-case, such as start-workflow."
  }
}

variable "queue_role" {
  description = "What the queue holds, in kebab-case; queue and dead letter queue are named by it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*$", var.queue_role))
    error_message = "queue_role is kebab-case, such as landing."
  }
}

variable "description" {
  description = "What the function does, in one sentence."
  type        = string
}

variable "handler" {
  description = "Python entry point, such as etl.lambdas.start_workflow.handler."
  type        = string
}

variable "package" {
  description = "Bucket and key of the zip with the code; the key changes with the content."
  type = object({
    bucket = string
    key    = string
  })
}

variable "environment" {
  description = "Environment variables of the function."
  type        = map(string)
}

variable "policy_json" {
  description = "What the function may do beside reading its queue and writing its log, as a policy document."
  type        = string
}

variable "event_rule_names" {
  description = "Names of the EventBridge rules on the default bus that fill the queue; none where a function of ours does."
  type        = set(string)
}

variable "kms_key_arn" {
  description = "Key for the log group and the environment of the function."
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

variable "timeout_seconds" {
  description = "Longest run of the function. A message stays hidden six times as long, as Lambda asks for."
  type        = number
  default     = 60

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900
    error_message = "A function runs 1 to 900 seconds."
  }
}

variable "memory_mb" {
  description = "Memory of the function in MB; CPU grows with it."
  type        = number
  default     = 256
}

variable "reserved_concurrency" {
  description = "Most runs of the function at a time. -1 reserves none, for accounts whose quota is 10 in all."
  type        = number
  default     = 5

  validation {
    condition     = var.reserved_concurrency == -1 || var.reserved_concurrency >= 2
    error_message = "Reserve at least 2 (Lambda polls a queue with two or more workers), or -1 for none."
  }
}

variable "max_receive_count" {
  description = "Deliveries of a message before it goes to the dead letter queue."
  type        = number
  default     = 5
}

variable "queue_age_alarm_minutes" {
  description = "A message that waits longer raises an alarm. One that failed once comes again after six timeouts of the function."
  type        = number
  default     = 30
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
