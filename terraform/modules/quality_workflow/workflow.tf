# gate ── succeeded ─▶ merge ── succeeded ─▶ crawler, one workflow per dataset. What fails ends the run; the failure
# handler decides what happens next.

resource "aws_glue_workflow" "dataset" {
  for_each = var.datasets

  name        = "${var.name_prefix}-${each.key}"
  description = "From a landed file of ${each.key} to its table."

  # A run beyond what its jobs allow would fail; here it is refused instead, and the landed file's message comes again.
  max_concurrent_runs = var.jobs.max_concurrent_runs

  tags = each.value.tags
}

resource "aws_glue_trigger" "start" {
  for_each = var.datasets

  name          = "${var.name_prefix}-${each.key}-start"
  description   = "First step of the workflow; the start-workflow function starts it."
  type          = "ON_DEMAND"
  enabled       = false # true would make every apply start the workflow
  workflow_name = aws_glue_workflow.dataset[each.key].name

  actions {
    job_name = aws_glue_job.stage["${each.key}/gate"].name
  }

  tags = each.value.tags
}

resource "aws_glue_trigger" "gate_succeeded" {
  for_each = var.datasets

  name          = "${var.name_prefix}-${each.key}-gate-succeeded"
  description   = "Only a batch that passed the gate is merged."
  type          = "CONDITIONAL"
  workflow_name = aws_glue_workflow.dataset[each.key].name

  predicate {
    conditions {
      job_name = aws_glue_job.stage["${each.key}/gate"].name
      state    = "SUCCEEDED"
    }
  }

  actions {
    job_name = aws_glue_job.stage["${each.key}/merge"].name
  }

  tags = each.value.tags
}

resource "aws_glue_trigger" "merge_succeeded" {
  for_each = var.datasets

  name          = "${var.name_prefix}-${each.key}-merge-succeeded"
  description   = "Last, the raw zone is described, so that drift shows."
  type          = "CONDITIONAL"
  workflow_name = aws_glue_workflow.dataset[each.key].name

  predicate {
    conditions {
      job_name = aws_glue_job.stage["${each.key}/merge"].name
      state    = "SUCCEEDED"
    }
  }

  actions {
    crawler_name = var.crawlers[each.key]
  }

  tags = each.value.tags
}
