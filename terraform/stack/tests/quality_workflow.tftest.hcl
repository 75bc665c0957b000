mock_provider "aws" {
  source = "./tests/mocks"
}

run "promises" {
  module {
    source = "../modules/quality_workflow"
  }

  assert {
    condition     = toset(keys(aws_glue_job.stage)) == toset([for pair in setproduct(keys(var.datasets), ["gate", "merge", "maintain"]) : "${pair[0]}/${pair[1]}"])
    error_message = "Each dataset has a gate, a merge and a maintenance."
  }

  assert {
    condition     = alltrue([for job in aws_glue_job.stage : job.max_retries == 0 && job.timeout > 0 && job.security_configuration == "jobs"])
    error_message = "Glue repeats no job by itself (bad data stays bad), lets none run for ever, and encrypts what each writes."
  }

  assert {
    condition     = alltrue([for dataset in keys(var.datasets) : aws_glue_job.stage["${dataset}/maintain"].execution_property[0].max_concurrent_runs == 1])
    error_message = "No two maintenances do the same work."
  }

  assert {
    condition     = aws_glue_job.stage["visit/merge"].worker_type == "G.2X" && aws_glue_job.stage["visit/merge"].number_of_workers == 20
    error_message = "A dataset's jobs have the size of its contract."
  }

  assert {
    condition     = aws_glue_job.stage["employee/merge"].worker_type == "G.1X" && !contains(keys(aws_glue_job.stage["employee/merge"].default_arguments), "--datalake-formats")
    error_message = "A job of one process is small, and loads no Spark."
  }

  assert {
    condition = alltrue([
      for dataset in keys(var.datasets) :
      one(aws_glue_trigger.gate_succeeded[dataset].predicate[0].conditions).state == "SUCCEEDED" &&
      one(aws_glue_trigger.gate_succeeded[dataset].predicate[0].conditions).job_name == aws_glue_job.stage["${dataset}/gate"].name &&
      one(aws_glue_trigger.gate_succeeded[dataset].actions).job_name == aws_glue_job.stage["${dataset}/merge"].name
    ])
    error_message = "A merge runs after the gate of its own dataset, and only if that succeeded."
  }

  assert {
    condition     = alltrue([for start in aws_glue_trigger.start : start.type == "ON_DEMAND" && !start.enabled])
    error_message = "An apply starts no workflow."
  }

  assert {
    condition     = { for dataset, trigger in aws_glue_trigger.maintenance : dataset => trigger.schedule } == { for dataset, facts in var.datasets : dataset => facts.maintenance_schedule }
    error_message = "Tables are maintained when their contract says."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.jobs : group.kms_key_id == var.kms_key_arns.sensitive && group.retention_in_days == 30])
    error_message = "The logs of the jobs are encrypted with the key of what is sensitive, and expire."
  }
}

run "wrong_workers" {
  command = plan

  module {
    source = "../modules/quality_workflow"
  }

  variables {
    jobs = { number_of_workers = 1, timeout_minutes = 2881 }
  }

  expect_failures = [var.jobs]
}

run "network_without_a_group" {
  command = plan

  module {
    source = "../modules/quality_workflow"
  }

  variables {
    network = { subnet_id = "subnet-0", security_group_ids = [] }
  }

  expect_failures = [var.network]
}
