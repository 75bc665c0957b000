"""Rows that stand twice, in whatever splits: found by grouping hashes of what must not be repeated."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from etl.quality.parts import judged_positions, uniqueness_in
from etl.quality.suite import Suite
from etl.spark.batches import NUMBERS, Batches, map_batches, to_table
from etl.spark.split_file import SplitFile
from etl.steps.keys import hash_rows

_HASHED = pa.schema(
    [("name", pa.string()), ("hash", pa.string()), ("split", pa.int64()), ("position", pa.int64())]
)


@dataclass(frozen=True, slots=True)
class Repeated:
    """How many rows are repeated, by the name of the expectation that forbids it; `rows` says which."""

    counts: Mapping[str, int]
    rows: DataFrame | None

    def positions(self, names: Sequence[str]) -> dict[int, dict[str, np.ndarray]]:
        """Of the expectations named, the rows by split and name, ascending."""
        if self.rows is None or not (asked := [name for name in names if self.counts.get(name)]):
            return {}
        wanted = self.rows.where(F.col("name").isin(asked))
        grouped = wanted.groupBy("split", "name").agg(F.sort_array(F.collect_list("position"))).collect()
        found: dict[int, dict[str, np.ndarray]] = {}
        for split, name, positions in grouped:
            found.setdefault(split, {})[name] = np.array(positions, np.int64)
        return found


def find_repeated(session: SparkSession, file: SplitFile, suite: Suite) -> Repeated:
    stated = uniqueness_in(suite)
    if not stated:
        return Repeated({}, None)

    def hash_split(batches: Batches) -> Iterator[pa.Table]:
        for number in to_table(batches, NUMBERS)["id"].to_pylist():
            rows = file.read(number).rows
            for name, uniqueness in stated.items():
                positions = judged_positions(rows, uniqueness)
                judged = rows.select(dict.fromkeys(uniqueness.columns)).take(pa.array(positions))
                hashes = hash_rows(judged, judged.column_names)
                names, splits = (pa.repeat(value, len(positions)) for value in (name, number))
                yield pa.table([names, hashes, splits, pa.array(positions)], names=_HASHED.names)

    pieces = session.range(0, len(file), 1, len(file))
    grouped = map_batches(pieces, hash_split, _HASHED).groupBy("name", "hash")
    twice = grouped.agg(F.collect_list(F.struct("split", "position")).alias("rows")).where(F.size("rows") > 1)
    rows = twice.select("name", F.explode("rows").alias("row")).select("name", "row.*")
    rows = rows.persist(StorageLevel.MEMORY_AND_DISK)
    counts = dict(rows.groupBy("name").count().collect())
    return Repeated(counts, rows)
