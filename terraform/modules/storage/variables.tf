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

variable "force_destroy" {
  description = "Whether a destroy may delete buckets that still hold objects."
  type        = bool
  default     = false
}

variable "manage_lifecycle_rules" {
  description = "Whether Terraform writes lifecycle rules. Off offline, where the provider would wait 55 s for each."
  type        = bool
  default     = true
}

variable "access_log_retention_days" {
  description = "Days that S3's access logs are kept."
  type        = number
  default     = 365
}

variable "key_deletion_days" {
  description = "Days in which the deletion of a key can still be called off."
  type        = number
  default     = 30

  validation {
    condition     = var.key_deletion_days >= 7 && var.key_deletion_days <= 30
    error_message = "KMS deletes a key 7 to 30 days after it was asked to."
  }
}

variable "artifacts_dir" {
  description = "Folder with the built lakegate-*.whl, lakegate-lambdas.zip and, for AWS, *.gluewheels.zip."
  type        = string

  validation {
    condition = (
      length(fileset(var.artifacts_dir, "lakegate-*-py3-none-any.whl")) == 1 &&
      length(fileset(var.artifacts_dir, "lakegate-lambdas.zip")) == 1
    )
    error_message = "artifacts_dir must hold one lakegate-<version>-py3-none-any.whl and lakegate-lambdas.zip. Build them with: python -m scripts.package"
  }
}

variable "glue_scripts_dir" {
  description = "Folder with the entry scripts of the Glue jobs: gate.py, merge.py and maintain.py."
  type        = string

  validation {
    condition = alltrue([
      for script in ["gate.py", "merge.py", "maintain.py"] : length(fileset(var.glue_scripts_dir, script)) == 1
    ])
    error_message = "glue_scripts_dir must hold gate.py, merge.py and maintain.py."
  }
}

variable "expectations_dir" {
  description = "Folder with lineage.yaml, quarantine.yaml and a folder per dataset."
  type        = string

  # scripts/package.py leaves this checksum only of datasets that it checked.
  validation {
    condition = try(trimspace(file("${var.artifacts_dir}/expectations.sha256")), "") == sha256(join("", [
      for path in sort(fileset(var.expectations_dir, "**/*.{yaml,json}")) :
      "${filesha256("${var.expectations_dir}/${path}")}  ${path}\n"
    ]))
    error_message = "The datasets are not those that were checked last. Check them, and build anew, with: python -m scripts.package"
  }
}
