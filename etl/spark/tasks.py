"""One task for each piece of a file, with what it has to say as a Python object."""

import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from etl.spark.batches import NUMBERS, Batches, map_batches, to_table

Answer = tuple[Any, Any]
"""What the driver is told, and what is kept for the next pass over the same pieces."""

_ANSWERS = pa.schema([("id", pa.int64()), ("told", pa.binary()), ("kept", pa.binary())])


def for_each(session: SparkSession, count: int, step: Callable[[int], Answer]) -> DataFrame:
    """The answers of `step` for the numbers below `count`, each in a partition of its own."""

    def run(batches: Batches) -> Iterator[pa.Table]:
        for number in to_table(batches, NUMBERS)["id"].to_pylist():
            yield _to_row(number, step(number))

    return map_batches(session.range(0, count, 1, count), run, _ANSWERS)


def for_each_kept(answers: DataFrame, step: Callable[[int, Any], Answer]) -> DataFrame:
    """The answers of `step` to what was kept by each number."""

    def run(batches: Batches) -> Iterator[pa.Table]:
        for row in to_table(batches, _ANSWERS).to_pylist():
            yield _to_row(row["id"], step(row["id"], pickle.loads(row["kept"])))

    return map_batches(answers, run, _ANSWERS)


def answers_of(answers: DataFrame) -> list[Any]:
    """What the driver is told, in the order of the numbers."""
    rows = sorted(answers.select("id", "told").collect())
    return [pickle.loads(told) for _, told in rows]


def _to_row(number: int, answer: Answer) -> pa.Table:
    told, kept = (pickle.dumps(part) for part in answer)
    return pa.table([[number], [told], [kept]], schema=_ANSWERS)
