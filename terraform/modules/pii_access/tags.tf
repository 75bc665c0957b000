# Each column says in the catalog what its contract classifies it as. Nobody here is granted by these tags: a principal
# has one form of grant per table, and an analyst's names the columns (docs/adr/0016). They are for whoever searches the
# catalog, and for grants that others make to principals of their own.

locals {
  unclassified = "unclassified"

  # What is neither a column of a contract nor tagged by itself is what its database is.
  database_classifications = {
    raw        = "pii"
    processed  = local.unclassified
    quarantine = "pii"
    operations = "internal"
  }

  # One resource a column: of a column that changes its class, the old tag is gone before the new one comes.
  classified_columns = merge([
    for dataset, columns in local.present_columns : {
      for column in columns : "${dataset}/${column.name}" => {
        table          = var.tables.processed[dataset]
        column         = column.name
        classification = column.classification
      } if column.classification != local.unclassified
    }
  ]...)
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
    database_name = var.databases.processed
    name          = each.value.table
    column_names  = [each.value.column]
  }

  lf_tag {
    key   = aws_lakeformation_lf_tag.classification.key
    value = each.value.classification
  }
}
