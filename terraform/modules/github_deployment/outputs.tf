output "plan_role_arn" {
  description = "Role of workflows that plan."
  value       = aws_iam_role.plan.arn
}

output "apply_role_arn" {
  description = "Role of workflows that apply, once they were approved."
  value       = aws_iam_role.apply.arn
}

output "boundary_arn" {
  description = "Boundary of every role of the stack: the environment's permissions_boundary_arn."
  value       = aws_iam_policy.boundary.arn
}
