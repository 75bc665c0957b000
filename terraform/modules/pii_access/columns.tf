locals {
  # An allow-list: a column that nobody classified is not in it.
  open_classifications = ["public", "internal"]

  # Lake Formation knows no column before the table has it. One that a contract gained comes with the next batch, and
  # is granted and tagged by the apply after that.
  present_columns = {
    for dataset, columns in var.datasets : dataset => [
      for column in columns : column if contains(var.table_columns[dataset], column.name)
    ]
  }

  open_columns = {
    for dataset, columns in local.present_columns : dataset => [
      for column in columns : column.name if contains(local.open_classifications, column.classification)
    ]
  }

  open_quarantine_columns = [
    for column in var.quarantine_columns : column.name if contains(local.open_classifications, column.classification)
  ]
}
