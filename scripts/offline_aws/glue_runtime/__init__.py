"""What a Glue 5.1 container provides to a script: the runner that starts it, and `awsglue`."""
