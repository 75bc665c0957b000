"""Spark as Glue 5.1 has it, in build/spark: what a process needs to load it, and to reach the offline AWS.

Glue gives its jobs pyspark, and with `--datalake-formats iceberg` the jars of Iceberg and of the AWS SDK.
Here they come from Python's package index (requirements/spark.in); `make spark` installs them.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

PACKAGES = Path(__file__).resolve().parents[2] / "build" / "spark"
CATALOG = "glue_catalog"
GLUE_CATALOG = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    f"spark.sql.catalog.{CATALOG}": "org.apache.iceberg.spark.SparkCatalog",
    f"spark.sql.catalog.{CATALOG}.catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
    f"spark.sql.catalog.{CATALOG}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
}
"""What Terraform gives the jobs as their configuration (terraform/modules/quality_workflow/jobs.tf)."""
_CORES = 2
_QUICK_START = "-XX:TieredStopAtLevel=1"  # a job here is over before the better compiler would pay
# The SDK's own jars all have its version in their names; the other two are what it cannot do without.
_JARS = (
    "snowpark_connect_deps_iceberg/jars/iceberg-spark-runtime-3.5_2.12-*.jar",
    "bodo_iceberg_connector/jars/libs/*-2.29.26.jar",
    "bodo_iceberg_connector/jars/libs/reactive-streams-*.jar",
    "bodo_iceberg_connector/jars/libs/eventstream-*.jar",
)


class SparkMissing(Exception):
    """Spark, or the Java that it needs, is not installed."""


def require_spark() -> None:
    """Raises SparkMissing."""
    if not (PACKAGES / ".installed").exists():
        raise SparkMissing("Spark is not installed where the offline AWS runs; `make spark` does it")
    if shutil.which("java") is None:
        raise SparkMissing("Spark needs Java, and there is none where the offline AWS runs")


def spark_environment(endpoint: str, configuration: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Environment variables with which a process that imports pyspark gets a local Spark.

    `configuration` is the job's own; `folder` takes what Spark writes on disk. The catalog is told where the
    offline AWS is, which on AWS it knows, and not to need the HTTP client that the SDK would take there.
    """
    catalog = f"spark.sql.catalog.{CATALOG}"
    settings = {
        "spark.driver.extraClassPath": os.pathsep.join(_jars()),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": f"-Djava.io.tmpdir={folder} {_QUICK_START}",
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.shuffle.partitions": str(_CORES),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        **configuration,
        f"{catalog}.glue.endpoint": endpoint,
        f"{catalog}.s3.endpoint": endpoint,
        f"{catalog}.s3.path-style-access": "true",
        f"{catalog}.http-client.type": "urlconnection",
    }
    arguments = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    return {
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": shlex.join(["--master", f"local[{_CORES}]", *arguments, "pyspark-shell"]),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def parse_conf(argument: str) -> dict[str, str]:
    """A job's `--conf`: `a=b --conf c=d`, as Glue takes several in one."""
    pairs = (part.strip().partition("=") for part in argument.split("--conf"))
    return {name: value for name, _, value in pairs if name}


def _jars() -> list[str]:
    return [str(jar) for pattern in _JARS for jar in sorted(PACKAGES.glob(pattern))]
