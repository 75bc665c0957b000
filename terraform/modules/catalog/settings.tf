# Without default permissions a new table belongs to nobody but those it was granted to; Lake Formation's own default
# would open it to every IAM principal (IAMAllowedPrincipals). Databases therefore wait for the settings.
resource "aws_lakeformation_data_lake_settings" "account" {
  count  = var.manage_data_lake_settings ? 1 : 0
  admins = var.data_lake_admin_arns
}
