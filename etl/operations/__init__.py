"""What is known of runs over time, what happens after one failed, and what people are told of it.

Standard library only: the Lambdas use it.
"""
