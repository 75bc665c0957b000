provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = {
      project        = "lakegate"
      environment    = "all"
      owner          = var.owner
      cost_centre    = var.cost_centre
      classification = "internal"
      managed_by     = "terraform"
    }
  }
}
