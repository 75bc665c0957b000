mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  datasets = {
    employee = [
      { name = "last_name", classification = "pii" },
      { name = "salary", classification = "internal" },
      { name = "forgotten" },
    ]
    visit = [
      { name = "page", classification = "public" },
      { name = "visitor", classification = "restricted" },
      { name = "browser", classification = "internal" },
    ]
  }

  # The second table has not got its newest column yet: the next merge brings it.
  table_columns = {
    processed = {
      employee = ["last_name", "salary", "forgotten"]
      visit    = ["page", "visitor"]
    }
    quarantine = {
      employee = ["row_text"]
      visit    = ["row_text"]
    }
  }
}

run "promises" {
  module {
    source = "../modules/pii_access"
  }

  assert {
    condition     = output.open_columns == { employee = ["salary"], visit = ["page"] }
    error_message = "Analysts get the columns that are called public or internal, once they are there; one that nobody classified, or with another word, is none of them."
  }

  assert {
    condition = alltrue([
      for dataset, grant in aws_lakeformation_permissions.analyst_columns :
      toset(grant.table_with_columns[0].column_names) == toset(output.open_columns[dataset]) && grant.table_with_columns[0].wildcard != true
    ])
    error_message = "An analyst's grant names its columns."
  }

  assert {
    condition     = alltrue([for grant in aws_lakeformation_permissions.analyst_columns : grant.table_with_columns[0].database_name == "the_processed"])
    error_message = "An analyst's grant is on processed tables."
  }

  assert {
    condition     = aws_lakeformation_permissions.analyst_database.database[0].name == "the_processed"
    error_message = "Analysts do not even see that there is a quarantine."
  }

  assert {
    condition     = toset([for grant in aws_lakeformation_permissions.steward_quarantine : grant.principal]) == toset([aws_iam_role.reader["steward"].arn])
    error_message = "The quarantine is granted to stewards alone."
  }
}

run "wrong_values" {
  command = plan

  module {
    source = "../modules/pii_access"
  }

  variables {
    datasets = { employee = [{ name = "last_name", classification = "pii" }] }
  }

  expect_failures = [var.datasets]
}

run "wrong_readers_of_rows" {
  command = plan

  module {
    source = "../modules/pii_access"
  }

  variables {
    row_readers = { analyst = { dataset = "employee", column = "last_name", value = "Abe" } }
  }

  expect_failures = [var.row_readers]
}
