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
