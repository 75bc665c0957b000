variable "endpoint" {
  description = "URL of the offline AWS, such as http://127.0.0.1:5000."
  type        = string

  validation {
    condition     = can(regex("^https?://(127\\.0\\.0\\.1|localhost|\\[::1\\])(:[0-9]+)?$", var.endpoint))
    error_message = "The local environment is for an offline AWS on this machine: http://127.0.0.1:PORT."
  }
}

variable "artifacts_dir" {
  description = "Folder made by python -m scripts.package."
  type        = string
  default     = "../../../build/artifacts"
}

variable "expectations_dir" {
  description = "Folder with a folder per dataset."
  type        = string
  default     = "../../../expectations"
}
