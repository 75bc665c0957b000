"""One program of the merge's benchmark; prints its figures as the last line, as JSON.

python -m scripts.bench.merge_programs build lakegate folder
python -m scripts.bench.merge_programs merge lakegate folder recent upsert

`folder` is that of scripts.bench.merge_rows; a program's table is in a folder of its name in it. What counts
is the merge, with the batch in memory and the table on disk, until the table is changed for other readers.
"""

import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from etl.batch import MergeMode
from etl.tables.table import BATCH_ID
from scripts.bench.measured import forget_peak, peak_rss_mb
from scripts.bench.merge_rows import FILES, KEY, a_batch, a_table_batch
from scripts.offline_aws.spark_runtime import PACKAGES

Timer = Callable[[], AbstractContextManager[None]]
_ZSTD = {"compression": "zstd"}
_SAME_KEY = " AND ".join(f"t.{name} = s.{name}" for name in KEY)
_ICEBERG_JAR = "snowpark_connect_deps_iceberg/jars/iceberg-spark-runtime-3.5_2.12-*.jar"


class Program(StrEnum):
    LAKEGATE = "lakegate"
    DELTA_RS = "delta-rs"
    DELTA_RS_TUNED = "delta-rs-tuned"
    PANDAS = "pandas"
    PYICEBERG = "pyiceberg"
    SPARK = "spark"
    FLOOR = "floor"


@dataclass(slots=True)
class Clock:
    """Adds up what passes inside `with clock.running():`.

    Bytes are those of the processes' read and write calls, as Linux counts them, cached or not.
    """

    processes: Sequence[int | str]
    seconds: float = 0
    bytes_read: int = 0
    bytes_written: int = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        started, before = time.monotonic(), _bytes_moved(self.processes)
        yield
        after = _bytes_moved(self.processes)
        self.seconds += time.monotonic() - started
        self.bytes_read += after["rchar"] - before["rchar"]
        self.bytes_written += after["wchar"] - before["wchar"]


def _bytes_moved(processes: Sequence[int | str]) -> Counter[str]:
    moved: Counter[str] = Counter()
    for process in processes:
        with contextlib.suppress(OSError):  # not on Linux
            lines = Path(f"/proc/{process}/io").read_text().splitlines()
            moved.update({name: int(value) for name, value in (line.split(": ") for line in lines)})
    return moved


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Implements etl.steps.confirmed.Confirmations for the newest of all batches."""

    path: Path

    def write(self, keys: pa.ChunkedArray) -> None:
        pq.write_table(pa.table({"key": keys}), self.path, use_dictionary=False, **_ZSTD)

    def newer(self, _taken: Collection[str]) -> Iterable[pa.ChunkedArray]:
        return ()


class Lakegate:
    """merge_batch as the job calls it, with SQLite in place of Glue, and a folder of the processed zone."""

    def __init__(self, folder: Path):
        from pyiceberg.catalog.sql import SqlCatalog

        from etl.tables.iceberg import IcebergTable
        from etl.tables.writing import merge_batch

        pa.set_memory_pool(pa.system_memory_pool())  # as the job does
        self._table, self._merge_batch = IcebergTable, merge_batch
        home = folder / Program.LAKEGATE
        self._confirmed = home / "confirmed"
        self._confirmed.mkdir(parents=True, exist_ok=True)
        self._catalog = SqlCatalog(
            "bench", uri=f"sqlite:///{home}/catalog.db", warehouse=f"file://{home}/warehouse"
        )

    def build(self, parts: Iterator[pa.Table]) -> None:
        self._catalog.create_namespace("bench")
        for number, part in enumerate(parts):
            if number == 0:
                self._catalog.create_table("bench.employee", part.schema)
            self._merge(part, a_table_batch(number).batch_id, MergeMode.UPSERT)

    def merge(self, batch: pa.Table, mode: MergeMode, timer: Timer) -> None:
        with timer():
            self._merge(batch, a_batch("now").batch_id, mode)

    def files(self) -> list[str]:
        tasks = self._catalog.load_table("bench.employee").scan().plan_files()
        return [task.file.file_path.removeprefix("file://") for task in tasks]

    def _merge(self, rows: pa.Table, batch_id: str, mode: MergeMode) -> None:
        table = self._table(self._catalog, ("bench", "employee"))
        confirmed = Confirmed(self._confirmed / f"{batch_id}.parquet")
        self._merge_batch(table, rows, {BATCH_ID: batch_id}, KEY, mode, confirmations=confirmed)


class PyIceberg(Lakegate):
    """PyIceberg's own upsert, on the table that Lakegate's merges built."""

    def merge(self, batch: pa.Table, mode: MergeMode, timer: Timer) -> None:
        table = self._catalog.load_table("bench.employee")
        with timer():
            table.upsert(batch, list(KEY), when_matched_update_all=mode is MergeMode.UPSERT)


class DeltaRs:
    """MERGE as delta-rs does it unless told otherwise: the batch streams, and nothing is known of it."""

    _PROGRAM, _STREAMS = Program.DELTA_RS, True

    def __init__(self, folder: Path):
        self._path = str(folder / self._PROGRAM)

    def build(self, parts: Iterator[pa.Table]) -> None:
        from deltalake import WriterProperties, write_deltalake

        for part in parts:
            properties = WriterProperties(compression="ZSTD")
            write_deltalake(self._path, part, mode="append", writer_properties=properties)

    def merge(self, batch: pa.Table, mode: MergeMode, timer: Timer) -> None:
        from deltalake import DeltaTable, WriterProperties

        table = DeltaTable(self._path)
        with timer():
            merge = table.merge(
                batch,
                _SAME_KEY,
                source_alias="s",
                target_alias="t",
                writer_properties=WriterProperties(compression="ZSTD"),
                streamed_exec=self._STREAMS,
            )
            if mode is MergeMode.UPSERT:
                merge = merge.when_matched_update_all("t._row_hash <> s._row_hash")
            merge.when_not_matched_insert_all().execute()

    def files(self) -> list[str]:
        from deltalake import DeltaTable

        return [uri.removeprefix("file://") for uri in DeltaTable(self._path).file_uris()]


class DeltaRsTuned(DeltaRs):
    """MERGE that looks at the batch first, to leave files out by their statistics, if it can."""

    _PROGRAM, _STREAMS = Program.DELTA_RS_TUNED, False


class Pandas:
    """Reads the table, merges in memory, and writes all of it. A reader meanwhile sees what he sees."""

    def __init__(self, folder: Path):
        self._home = folder / Program.PANDAS

    def build(self, parts: Iterator[pa.Table]) -> None:
        self._home.mkdir()
        for number, part in enumerate(parts):
            pq.write_table(part, self._home / f"{number}.parquet", **_ZSTD)

    def merge(self, batch: pa.Table, mode: MergeMode, timer: Timer) -> None:
        import pandas as pd

        coming = batch.to_pandas()
        del batch
        with timer():
            table = pd.read_parquet(self._home)
            coming = coming[~coming["_row_hash"].isin(table["_row_hash"])]
            keep = "last" if mode is MergeMode.UPSERT else "first"
            merged = pd.concat([table, coming]).drop_duplicates(list(KEY), keep=keep)
            merged.to_parquet(self._home / "merged.parquet", index=False, **_ZSTD)
            for number in range(FILES):
                (self._home / f"{number}.parquet").unlink()

    def files(self) -> list[str]:
        return [str(path) for path in self._home.glob("*.parquet")]


class Spark:
    """MERGE INTO on Iceberg, in a session that has started and has the batch in memory."""

    def __init__(self, folder: Path):
        from pyspark.sql import SparkSession

        self._folder = folder
        catalog = "spark.sql.catalog.local"
        settings = {
            "spark.driver.extraClassPath": str(next(PACKAGES.glob(_ICEBERG_JAR))),
            "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
            catalog: "org.apache.iceberg.spark.SparkCatalog",
            f"{catalog}.type": "hadoop",
            f"{catalog}.warehouse": str(folder / Program.SPARK),
            "spark.driver.memory": "6g",
            "spark.local.dir": str(folder),
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
        }
        builder = SparkSession.builder.master("local[*]")
        self._session = builder.config(map=settings).getOrCreate()
        self._session.sparkContext.setLogLevel("ERROR")
        self.processes = ("self", self._session.sparkContext._gateway.proc.pid)

    def build(self, _parts: Iterator[pa.Table]) -> None:
        for number in range(FILES):
            part = self._session.read.parquet(str(self._folder / f"table-{number}.parquet")).coalesce(1)
            writer = part.writeTo("local.bench.employee")
            if number:
                writer.append()
            else:
                writer.tableProperty("write.parquet.compression-codec", "zstd").create()

    def merge(self, batch: pa.Table, mode: MergeMode, timer: Timer) -> None:
        path = self._folder / "batch.parquet"
        pq.write_table(batch, path)
        coming = self._session.read.parquet(str(path)).cache()
        coming.createOrReplaceTempView("s")
        coming.count()
        update = "WHEN MATCHED AND t._row_hash <> s._row_hash THEN UPDATE SET *"
        with timer():
            self._session.sql(
                f"MERGE INTO local.bench.employee t USING s ON {_SAME_KEY} "
                f"{update if mode is MergeMode.UPSERT else ''} WHEN NOT MATCHED THEN INSERT *"
            )

    def files(self) -> list[str]:
        found = self._session.sql("SELECT file_path FROM local.bench.employee.files").collect()
        return [row.file_path.removeprefix("file:") for row in found]


class Floor(Pandas):
    """No merge: reads the keys of the files that any merge has to look into, and writes those that change.

    Where the rows stand, and what the files will hold, it knows beforehand and has in memory.
    """

    def __init__(self, folder: Path):
        self._folder, self._home = folder, folder / Program.FLOOR

    def merge(self, batch: pa.Table, mode: MergeMode, timer: Timer) -> None:
        import duckdb

        batch_days = pa.compute.min_max(batch["hire_date"]).as_py()
        keys = ", ".join(KEY)
        out = self._folder / "floor-written.parquet"
        new = batch
        for path in sorted(self._home.glob("*.parquet")):
            days = pa.compute.min_max(pq.read_table(path, columns=["hire_date"])["hire_date"]).as_py()
            if days["max"] < batch_days["min"] or batch_days["max"] < days["min"]:
                continue
            with timer():
                known = pq.read_table(path, columns=[*KEY, "_row_hash"])  # noqa: F841  DuckDB finds it
            new = duckdb.sql(f"SELECT new.* FROM new ANTI JOIN known USING ({keys})").to_arrow_table()
            if mode is MergeMode.UPSERT:
                rows = pq.read_table(path)
                with timer():
                    pq.write_table(rows, out, row_group_size=2**18, **_ZSTD)
                del rows
        with timer():
            pq.write_table(new, out, **_ZSTD)
        out.unlink()


_PROGRAMS: dict[Program, Callable[[Path], Any]] = {
    Program.LAKEGATE: Lakegate,
    Program.DELTA_RS: DeltaRs,
    Program.DELTA_RS_TUNED: DeltaRsTuned,
    Program.PANDAS: Pandas,
    Program.PYICEBERG: PyIceberg,
    Program.SPARK: Spark,
    Program.FLOOR: Floor,
}


def fingerprint(files: Sequence[str]) -> str:
    """Rows and a checksum of a table, whatever the order of its rows and files."""
    import duckdb

    columns = duckdb.sql(f"DESCRIBE FROM read_parquet({list(files)!r})").fetchall()
    kept = [f'CAST("{name}" AS VARCHAR)' for name, *_ in sorted(columns) if name != "_ingested_at"]
    told = duckdb.sql(
        f"SELECT count(*), sum(hash({', '.join(kept)})) FROM read_parquet({list(files)!r})"
    ).fetchall()
    return ":".join(map(str, told[0]))


def main() -> None:
    act, name, folder, *rest = sys.argv[1:]
    program = _PROGRAMS[Program(name)](Path(folder))
    if act == "build":
        program.build(pq.read_table(Path(folder) / f"table-{number}.parquet") for number in range(FILES))
        return
    batch = pq.read_table(Path(folder) / f"{rest[0]}.parquet").combine_chunks()
    pa.default_memory_pool().release_unused()
    processes = getattr(program, "processes", ("self",))
    clock = Clock(processes)
    for process in processes:
        forget_peak(process)
    program.merge(batch, MergeMode(rest[1]), clock.running)
    told = {
        "seconds": clock.seconds,
        "peak_rss_mb": sum(peak_rss_mb(process) for process in processes),
        "read_mb": clock.bytes_read // 10**6,
        "written_mb": clock.bytes_written // 10**6,
        "content": "" if name == Program.FLOOR else fingerprint(program.files()),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
