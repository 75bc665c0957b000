# Both outputs wait for encryption, versioning and the bucket policy: whoever uses the bucket finds it protected.

output "name" {
  description = "Name of the bucket, once it is protected."
  value       = aws_s3_bucket.zone.id

  depends_on = [
    aws_s3_bucket_ownership_controls.zone,
    aws_s3_bucket_policy.zone,
    aws_s3_bucket_public_access_block.zone,
    aws_s3_bucket_server_side_encryption_configuration.zone,
    aws_s3_bucket_versioning.zone,
  ]
}

output "arn" {
  description = "ARN of the bucket, once it is protected."
  value       = aws_s3_bucket.zone.arn

  depends_on = [
    aws_s3_bucket_ownership_controls.zone,
    aws_s3_bucket_policy.zone,
    aws_s3_bucket_public_access_block.zone,
    aws_s3_bucket_server_side_encryption_configuration.zone,
    aws_s3_bucket_versioning.zone,
  ]
}
