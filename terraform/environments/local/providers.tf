provider "aws" {
  region     = "us-east-1"
  access_key = "offline"
  secret_key = "offline"

  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true

  # 25, the default, turns one error of the offline AWS into nine minutes.
  max_retries = 2

  default_tags {
    tags = {
      project     = "lakegate"
      environment = "local"
      managed_by  = "terraform"
    }
  }

  endpoints {
    athena        = var.endpoint
    cloudwatch    = var.endpoint
    events        = var.endpoint
    glue          = var.endpoint
    iam           = var.endpoint
    kms           = var.endpoint
    lakeformation = var.endpoint
    lambda        = var.endpoint
    logs          = var.endpoint
    s3            = var.endpoint
    s3control     = var.endpoint
    scheduler     = var.endpoint
    sns           = var.endpoint
    sqs           = var.endpoint
    sts           = var.endpoint
  }
}
