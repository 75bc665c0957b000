"""The Glue jobs: parse the arguments, call the pipeline, exit."""

import gc

# A job's imports make a million objects that stay. Python's collector would look through them again and
# again while they come, which takes a fifth of the start.
gc.set_threshold(200_000, 20, 100)
