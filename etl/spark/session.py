"""The Spark session of a run, and Lakegate's tables in it."""

from pyspark.sql import SparkSession

# Terraform configures it: the Glue Data Catalog, under the name that AWS's own pages give it.
CATALOG = "glue_catalog"


def open_session() -> SparkSession:
    """The session of this process, or a new one as the job's `--conf` says."""
    session = SparkSession.builder.appName("lakegate").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")  # warnings show plans, and plans may show values
    return session


def quoted(*names: str) -> str:
    """`a`.`b`, for SQL."""
    return ".".join(f"`{name.replace('`', '``')}`" for name in names)
