# Each column says in the catalog what its contract classifies it as. Nobody here is granted by these tags: a principal
# has one form of grant per table, and an analyst's names the columns (docs/adr/0016). They are for whoever searches the
# catalog, and for grants that others make to principals of their own.

locals {
  unclassified = "unclassified"

  # What has no tag of its own is what its database is.
  database_classifications = {
    raw        = "pii"
    processed  = local.unclassified
    quarantine = "pii"
    operations = "internal"
  }

  # One resource a column: of a column that changes its class, the old tag is gone before the new one comes.
  classified_columns = merge(flatten([
    for zone, datasets in local.present_columns : [
      for dataset, columns in datasets : {
        for column in columns : "${zone}/${dataset}/${column.name}" => {
          zone           = zone
          dataset        = dataset
          column         = column.name
          classification = column.classification
        } if column.classification != local.unclassified
      }
    ]
  ])...)
}

resource "aws_lakeformation_lf_tag" "classification" {
  key    = "${var.name_prefix}-classification" # tags are the account's
  values = ["internal", "pii", "public", local.unclassified]
}

resource "aws_lakeformation_resource_lf_tags" "database" {
  for_each = local.database_classifications

  database {
    name = var.databases[each.key]
  }

  lf_tag {
    key   = aws_lakeformation_lf_tag.classification.key
    value = each.value
  }
}

resource "aws_lakeformation_resource_lf_tags" "column" {
  for_each = local.classified_columns

  table_with_columns {
    database_name = var.databases[each.value.zone]
    name          = var.tables[each.value.zone][each.value.dataset]
    column_names  = [each.value.column]
  }

  lf_tag {
    key   = aws_lakeformation_lf_tag.classification.key
    value = each.value.classification
  }
}
