output "workgroups" {
  description = "Workgroup name of each kind of reader."
  value       = { for reader, workgroup in aws_athena_workgroup.reader : reader => workgroup.name }
}

output "result_prefixes" {
  description = "Where in the results bucket the workgroup of each kind of reader writes."
  value       = { for reader, workgroup in local.workgroups : reader => workgroup.prefix }
}
