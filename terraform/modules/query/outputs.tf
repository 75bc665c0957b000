output "workgroups" {
  description = "Workgroup name of analysts and of stewards."
  value       = { for reader, workgroup in aws_athena_workgroup.reader : reader => workgroup.name }
}

output "result_prefixes" {
  description = "Where in the results bucket the workgroup of analysts and that of stewards write."
  value       = { for reader, workgroup in local.workgroups : reader => workgroup.prefix }
}
