# Code goes under the hash of its content: what a job or function points at never changes under it, and a new
# build is a new key that updates whatever points at it.

locals {
  glue_jobs = ["gate", "merge", "maintain"]

  wheel = one(fileset(var.artifacts_dir, "lakegate-*-py3-none-any.whl"))

  # What the wheel needs, as zips of wheels: Glue installs from them without an index. Offline there is none; the
  # runtime there has the packages installed.
  dependency_zips = fileset(var.artifacts_dir, "*.gluewheels.zip")

  code = merge(
    {
      "wheels/${local.wheel}"        = "${var.artifacts_dir}/${local.wheel}"
      "lambdas/lakegate-lambdas.zip" = "${var.artifacts_dir}/lakegate-lambdas.zip"
    },
    { for zip in local.dependency_zips : "wheels/${zip}" => "${var.artifacts_dir}/${zip}" },
    { for job in local.glue_jobs : "glue_jobs/${job}.py" => "${var.glue_scripts_dir}/${job}.py" },
  )

  # Contracts and suites keep their place in the repository; the jobs read them by dataset name.
  expectations = toset([
    for path in fileset(var.expectations_dir, "**/*.{yaml,json}") : path
  ])
}

resource "aws_s3_object" "code" {
  for_each = local.code

  bucket      = module.zone["artifacts"].name
  key         = "${dirname(each.key)}/${filesha256(each.value)}/${basename(each.key)}"
  source      = each.value
  source_hash = filesha256(each.value) # an etag is no checksum under KMS

  lifecycle {
    # The job or function is moved to the new key before the old one goes.
    create_before_destroy = true
  }
}

resource "aws_s3_object" "expectations" {
  for_each = local.expectations

  bucket      = module.zone["artifacts"].name
  key         = "expectations/${each.key}"
  source      = "${var.expectations_dir}/${each.key}"
  source_hash = filesha256("${var.expectations_dir}/${each.key}")
}
