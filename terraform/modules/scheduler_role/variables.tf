variable "name" {
  description = "Name of the role."
  type        = string
}

variable "description" {
  description = "What the role is for."
  type        = string
}

variable "account_id" {
  description = "Account whose schedules may assume the role."
  type        = string
}

variable "function_arn" {
  description = "Function that the schedules invoke."
  type        = string
}

variable "dead_letter_queue_arn" {
  description = "Queue that keeps what could not be invoked; null keeps nothing."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "Key that the schedules are encrypted with."
  type        = string
}

variable "permissions_boundary_arn" {
  description = "Policy that the role is bounded by; null for none."
  type        = string
  default     = null
}
