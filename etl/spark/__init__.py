"""The large engine: gate and merge on Spark, with the steps of the small one wherever rows are looked at."""
