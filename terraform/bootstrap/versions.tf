terraform {
  required_version = ">= 1.10" # the lock file of the S3 backend

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # In the very bucket that is made here: the first time, scripts/deploy.py keeps the state beside it, then moves it in.
  backend "s3" {
    key          = "lakegate/bootstrap.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
