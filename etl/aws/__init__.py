"""AWS, and the only place that imports boto3."""
