"""What happens after a job failed, and what people are told. Standard library only: the Lambdas use it."""
