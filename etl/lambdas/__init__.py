"""The Lambdas; they import the standard library, boto3 and etl modules that need no more."""
