"""The part of Glue's `awsglue` package that a script of the single-node engine can need.

AWS's own package imports pyspark with `awsglue` itself; this one provides `awsglue.utils` alone, so that
a run without a cluster needs no Java. Reading a DynamicFrame or a GlueContext from here fails, as it must.
"""
