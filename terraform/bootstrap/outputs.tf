output "state_bucket" {
  description = "Bucket of the state, once it is protected."
  value       = module.state.name
}

output "state_key_arn" {
  description = "Key that encrypts the state."
  value       = aws_kms_key.state.arn
}

output "backend_config" {
  description = "What terraform init is given with -backend-config, if not by make: bucket, region and key."
  value = {
    bucket     = module.state.name
    region     = var.region
    kms_key_id = aws_kms_key.state.arn
  }
}
