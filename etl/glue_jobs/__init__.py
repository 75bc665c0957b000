"""The Glue jobs: parse the arguments, call the pipeline, exit."""
