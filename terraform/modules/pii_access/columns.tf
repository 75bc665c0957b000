locals {
  # An allow-list: a column that nobody classified is not in it.
  open_classifications = ["public", "internal"]

  # Lake Formation knows no column before the table has it. One that a contract gained comes with the next batch, and
  # is granted and tagged by the apply after that.
  present_columns = {
    processed = {
      for dataset, columns in var.datasets : dataset => [
        for column in columns : column if contains(var.table_columns.processed[dataset], column.name)
      ]
    }

    quarantine = {
      for dataset in keys(var.datasets) : dataset => [
        for column in var.quarantine_columns : column if contains(var.table_columns.quarantine[dataset], column.name)
      ]
    }
  }

  open_columns = {
    for zone, datasets in local.present_columns : zone => {
      for dataset, columns in datasets : dataset => [
        for column in columns : column.name if contains(local.open_classifications, column.classification)
      ]
    }
  }
}
