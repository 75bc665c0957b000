terraform {
  required_version = ">= 1.10" # the lock file of the S3 backend

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # terraform init -backend-config="bucket=…" -backend-config="region=…" says where.
  backend "s3" {
    key          = "lakegate/dev.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
