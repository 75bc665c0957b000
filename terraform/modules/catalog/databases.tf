locals {
  database_prefix = replace(var.name_prefix, "-", "_") # Athena wants no hyphen in a name

  databases = {
    raw        = "Files as received; the crawler describes them."
    processed  = "Rows that passed their suite."
    quarantine = "Rows that were kept out, with the reasons."
    operations = "What runs did: counts and verdicts, no rows."
  }
}

resource "aws_glue_catalog_database" "zone" {
  for_each = local.databases

  name        = "${local.database_prefix}_${each.key}"
  description = each.value

  depends_on = [
    aws_glue_data_catalog_encryption_settings.account, # what was there before stays as it was
    aws_lakeformation_data_lake_settings.account,
  ]
}
