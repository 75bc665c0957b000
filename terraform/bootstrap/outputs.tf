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

output "github" {
  description = "Per environment, the roles of GitHub's workflows and the boundary that the stack's roles then need."
  value = {
    for environment, deployment in module.github_deployment : environment => {
      plan_role_arn            = deployment.plan_role_arn
      apply_role_arn           = deployment.apply_role_arn
      permissions_boundary_arn = deployment.boundary_arn
    }
  }
}
