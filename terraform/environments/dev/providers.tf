provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = {
      project        = "lakegate"
      environment    = "dev"
      owner          = var.owner
      cost_centre    = var.cost_centre
      classification = "internal" # what holds rows of a dataset says otherwise
      managed_by     = "terraform"
    }
  }
}
