# Where the offline AWS is comes in AWS_ENDPOINT_URL: with an endpoints block, the provider checks each of them anew
# in every phase of an apply, 4 s each. Without the variable, the credentials below open nothing anywhere.
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
      project        = "lakegate"
      environment    = "local"
      owner          = "this machine"
      cost_centre    = "none"
      classification = "internal" # what holds rows of a dataset says otherwise
      managed_by     = "terraform"
    }
  }
}
