output "buckets" {
  description = "Bucket name per zone, once it is protected."
  value       = { for zone, bucket in module.zone : zone => bucket.name }
}

output "bucket_arns" {
  description = "Bucket ARN per zone, once it is protected."
  value       = { for zone, bucket in module.zone : zone => bucket.arn }
}

output "kms_key_arns" {
  description = "Key ARN per sensitivity: sensitive (processed, quarantine) and general (the rest)."
  value       = local.key_arns
}

output "glue_modules" {
  description = "S3 URIs that the jobs install, in this order: the zips of wheels that lakegate needs, then its own wheel."
  value = [
    for name in concat(sort(local.dependency_zips), [local.wheel]) :
    "s3://${module.zone["artifacts"].name}/${aws_s3_object.code["wheels/${name}"].key}"
  ]
}

output "glue_scripts" {
  description = "S3 URI of the script of each job."
  value = {
    for job in local.glue_jobs :
    job => "s3://${module.zone["artifacts"].name}/${aws_s3_object.code["glue_jobs/${job}.py"].key}"
  }
}

output "lambda_package" {
  description = "Bucket and key of the zip that holds the code of the functions."
  value = {
    bucket = module.zone["artifacts"].name
    key    = aws_s3_object.code["lambdas/lakegate-lambdas.zip"].key
  }
}

output "expectations_uri" {
  description = "S3 URI of the folder of contracts and suites, once they are uploaded."
  value       = "s3://${module.zone["artifacts"].name}/expectations"
  depends_on  = [aws_s3_object.expectations]
}
