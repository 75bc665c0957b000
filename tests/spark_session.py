"""The Spark of the tests: one session for each process that needs one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scripts.offline_aws.spark_runtime import (
    GLUE_CATALOG,
    PACKAGES,
    SparkMissing,
    require_spark,
    spark_environment,
)

CHECKOUT = Path(__file__).resolve().parents[1]


@contextmanager
def running_spark(endpoint: str, folder: Path) -> Iterator[Any]:
    """A session as a job has it; what is tested is the checkout's `etl`."""
    try:
        require_spark()
    except SparkMissing as missing:
        pytest.skip(str(missing))
    sys.path.append(str(PACKAGES))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in spark_environment(endpoint, GLUE_CATALOG, folder).items():
            patch.setenv(name, value)
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (CHECKOUT, PACKAGES))))
        from etl.spark.session import open_session

        session = open_session()
        yield session
        session.stop()
