# Once a night the same function is asked for every dataset: it picks up a file whose event was lost.

module "scheduler_role" {
  source = "../scheduler_role"

  name                     = "${var.name_prefix}-scheduler"
  description              = "Invokes the start-workflow function every night."
  account_id               = var.account.id
  function_arn             = module.start_workflow.function_arn
  dead_letter_queue_arn    = module.start_workflow.dead_letter_queue_arn
  kms_key_arn              = var.kms_key_arn
  permissions_boundary_arn = var.permissions_boundary_arn
}

resource "aws_scheduler_schedule" "nightly" {
  for_each = var.datasets

  name        = "${var.name_prefix}-${each.key}-nightly"
  description = "Nightly look for a batch of ${each.key}."

  schedule_expression          = each.value.schedule
  schedule_expression_timezone = "UTC"
  kms_key_arn                  = var.kms_key_arn

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }

  target {
    arn      = module.start_workflow.function_arn
    role_arn = module.scheduler_role.arn
    input    = jsonencode({ dataset = each.key, trigger = "nightly" })

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 3
    }

    dead_letter_config {
      arn = module.start_workflow.dead_letter_queue_arn
    }
  }
}
