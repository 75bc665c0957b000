# Every fact about a dataset comes from its folder; modules get the part they need.

locals {
  contracts = {
    for path in fileset(var.expectations_dir, "*/contract.yaml") :
    dirname(path) => yamldecode(file("${var.expectations_dir}/${path}"))
  }

  declared_columns = merge(
    { for dataset, contract in local.contracts : dataset => one(contract.schema).properties },
    # No dataset folder can have these names: they begin with a dot.
    { for file in ["lineage", "quarantine"] : ".${file}" => yamldecode(file("${var.expectations_dir}/${file}.yaml")).properties },
  )

  columns = {
    for owner, properties in local.declared_columns : owner => [
      for property in properties : {
        name           = property.name
        type           = property.physicalType
        description    = try(trimspace(property.description), "")
        classification = try(property.classification, "unclassified")
      }
    ]
  }

  operations_tables = {
    for table, declared in yamldecode(file("${var.expectations_dir}/operations.yaml")) : table => {
      description = declared.description
      folders     = declared.folders
      columns     = [for property in declared.properties : { name = property.name, type = property.physicalType, description = property.description }]
    }
  }

  service_levels    = { for dataset, contract in local.contracts : dataset => { for level in contract.slaProperties : level.property => level } }
  custom_properties = { for dataset, contract in local.contracts : dataset => { for custom in contract.customProperties : custom.property => custom.value } }

  # The least open one of its columns; one that nobody classified is as good as private.
  classifications = {
    for dataset, columns in local.columns : dataset => (
      length(setsubtract(columns[*].classification, ["public", "internal"])) > 0 ? "pii" :
      contains(columns[*].classification, "internal") ? "internal" : "public"
    )
  }

  hours_per_unit = { h = 1, d = 24 }

  # "employee-engineering" => whose rows that reader sees; etl/contract_roles.py says what such a role looks like.
  row_readers = merge([
    for dataset, contract in local.contracts : {
      for role in try(contract.roles, []) : "${dataset}-${role.role}" => merge(
        one([for custom in role.customProperties : custom.value if custom.property == "rows"]),
        { dataset = dataset },
      )
    }
  ]...)

  # Of a contract that names none; etl/custom_properties.py has the same.
  maintenance_schedule = "cron(0 5 * * ? *)"

  datasets = {
    for dataset, contract in local.contracts : dataset => {
      description            = try(trimspace(contract.description.purpose), contract.name)
      owner                  = contract.team.name
      columns                = local.columns[dataset]
      schedule               = local.service_levels[dataset].frequency.schedule
      freshness_hours        = local.service_levels[dataset].freshness.value * local.hours_per_unit[local.service_levels[dataset].freshness.unit]
      availability_percent   = try(local.service_levels[dataset].availability.value, 99.9)
      max_quarantine_percent = try(local.custom_properties[dataset].maxQuarantinePercent, 0) # as etl/custom_properties.py has it
      maintenance_schedule   = try(local.custom_properties[dataset].maintenance.schedule, local.maintenance_schedule)

      # Of every resource of one dataset; they override the provider's default tags.
      tags = {
        dataset        = dataset
        owner          = replace(contract.team.name, "/[^\\p{L}\\p{N} _.:\\/=+@-]/", "-") # what a tag may hold
        classification = local.classifications[dataset]
      }

      # null is one process. With "auto" a run of one process is on the same job: Glue adds workers if Spark asks.
      spark = try(local.custom_properties[dataset].engine, "single_node") == "single_node" ? null : {
        worker_type = try(local.custom_properties[dataset].spark.workerType, null)
        max_workers = try(local.custom_properties[dataset].spark.maxWorkers, null)
      }
    }
  }
}
