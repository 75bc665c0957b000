"""Steps of the single-node engine over the partitions of a Spark DataFrame, in Arrow throughout."""

import base64
import pickle
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_schema

from etl.errors import LakegateError, RunFailed

Batches = Iterator[pa.RecordBatch]
NUMBERS = pa.schema([("id", pa.int64())])
"""Of what SparkSession.range makes."""
_ERROR = re.compile(r"lakegate-error:([A-Za-z0-9+/=]+)")


def map_batches(
    rows: DataFrame, step: Callable[[Batches], Iterator[pa.Table]], schema: pa.Schema
) -> DataFrame:
    """`step` of each partition; it is called on an executor, and gets and gives columns of Arrow."""

    def run(batches: Batches) -> Batches:
        try:
            for table in step(batches):
                yield from table.select(schema.names).cast(schema).to_batches()
        except LakegateError as error:
            failure = error
        except Exception as error:
            # Spark logs what is raised here, and hands it on as text: neither may hold a value of a row.
            places = [f"{f.filename}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
            failure = RunFailed("Spark", f"{type(error).__name__} at {', '.join(places)}")
        else:
            return
        raise RuntimeError(f"lakegate-error:{base64.b64encode(pickle.dumps(failure)).decode()}")

    return rows.mapInArrow(run, from_arrow_schema(schema, prefer_timestamp_ntz=True))


@contextmanager
def executors_errors() -> Iterator[None]:
    """Raises here what `step` of map_batches raised on an executor."""
    try:
        yield
    except PySparkException as error:
        if found := _ERROR.search(str(error)):
            raise pickle.loads(base64.b64decode(found[1])) from None
        raise


def to_table(batches: Batches, schema: pa.Schema) -> pa.Table:
    """All batches of a partition, whose columns are those of `schema`."""
    taken = [*batches]
    return pa.Table.from_batches(taken).cast(schema) if taken else schema.empty_table()
