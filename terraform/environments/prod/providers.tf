provider "aws" {
  region = var.region

  default_tags {
    tags = {
      project     = "lakegate"
      environment = "prod"
      managed_by  = "terraform"
    }
  }
}
