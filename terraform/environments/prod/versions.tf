terraform {
  required_version = ">= 1.10" # the lock file of the S3 backend

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # Where: terraform/bootstrap says it, and make passes it on.
  backend "s3" {
    key          = "lakegate/prod.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
