output "databases" {
  description = "Database name per zone."
  value       = { for zone, database in aws_glue_catalog_database.zone : zone => database.name }
}

output "tables" {
  description = "Table name per zone and dataset, once the table exists."
  value = {
    processed  = { for dataset, table in aws_glue_catalog_table.processed : dataset => table.name }
    quarantine = { for dataset, table in aws_glue_catalog_table.quarantine : dataset => table.name }
  }
}

output "operations_tables" {
  description = "Names of the tables of run records, once they exist."
  value       = { for name, table in aws_glue_catalog_table.operations : name => table.name }
}

output "columns" {
  description = "Columns per zone and dataset that its table has now: one that a contract gained comes with the next batch."
  value = {
    processed  = { for dataset, table in aws_glue_catalog_table.processed : dataset => table.storage_descriptor[0].columns[*].name }
    quarantine = { for dataset, table in aws_glue_catalog_table.quarantine : dataset => table.storage_descriptor[0].columns[*].name }
  }
}

output "quarantine_views" {
  description = "Name per dataset of the view that counts its quarantine by reason, once the view exists."
  value       = { for dataset, view in aws_glue_catalog_table.quarantine_by_reason : dataset => view.name }
}

output "warehouse_arns" {
  description = "Registered S3 location per zone, once it is registered."
  value       = { for zone, location in aws_lakeformation_resource.warehouse : zone => location.arn }
}

output "crawlers" {
  description = "Crawler name per dataset."
  value       = { for dataset, crawler in aws_glue_crawler.raw : dataset => crawler.name }
}

output "crawler_names" {
  description = "Names of all crawlers; known before the crawlers exist."
  value       = sort(values(local.crawler_names))
}

output "security_configuration" {
  description = "Name of the Glue security configuration for jobs."
  value       = aws_glue_security_configuration.jobs.name
}
