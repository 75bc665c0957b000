provider "aws" {
  region = var.region

  default_tags {
    tags = {
      project     = "lakegate"
      environment = "dev"
      managed_by  = "terraform"
    }
  }
}
