output "function_name" {
  description = "Name of the function that starts workflows."
  value       = module.start_workflow.function_name
}
