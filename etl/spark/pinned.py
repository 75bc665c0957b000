"""The Iceberg table as Spark writes it: all reads, and the MERGE, are of the snapshot of the last `refresh`.

Spark's catalog caches a table, and neither a SELECT nor a MERGE refreshes what is cached. So what was planned
on a snapshot is merged into that very snapshot, and Iceberg refuses the commit if another writer added to the
table after it.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.java_gateway import ensure_callback_server_started
from pyspark.sql import DataFrame, SparkSession

from etl.errors import CommitConflict, CommitStateUnknown
from etl.spark.session import quoted

_CONFLICTS = {
    "org.apache.iceberg.exceptions.CommitFailedException",
    "org.apache.iceberg.exceptions.ValidationException",
}


class PinnedTable:
    """`name` is catalog, database and table; nothing may have used the session's catalog before."""

    def __init__(self, session: SparkSession, name: tuple[str, str, str]):
        session.conf.set(f"spark.sql.catalog.{name[0]}.cache-enabled", "true")
        session.conf.set(f"spark.sql.catalog.{name[0]}.cache.expiration-interval-ms", "-1")  # never
        self._session, self._name = session, quoted(*name)
        self.label = ".".join(name[1:])

    def refresh(self) -> None:
        self._table().refresh()

    @property
    def snapshot_id(self) -> str:
        """The snapshot that the table is pinned to, or `none` for a table without one."""
        snapshot = self._table().currentSnapshot()
        return "none" if snapshot is None else str(snapshot.snapshotId())

    def read(self) -> DataFrame:
        return self._session.table(self._name)

    def merge(
        self,
        changes: DataFrame,
        matches: Mapping[str, str],
        columns: Sequence[str],
        summary: Mapping[str, str],
    ) -> None:
        """Update the rows that `changes` matches, insert its other rows, in one snapshot with `summary`.

        `matches` are columns of the table, and what they equal in `changes`: null where a row is to be
        inserted. Raises CommitConflict and CommitStateUnknown, as etl.tables.table.Table.commit does.
        """
        view = f"changes_{uuid.uuid4().hex}"
        changes.createOrReplaceTempView(view)
        try:
            self._commit(lambda: self._session.sql(self._statement(view, matches, columns)), summary)
        finally:
            self._session.catalog.dropTempView(view)

    def _table(self) -> Any:
        """Iceberg's Java object, which is the one that the catalog has cached."""
        spark = self._session._jvm.org.apache.iceberg.spark
        return spark.Spark3Util.loadIcebergTable(self._session._jsparkSession, self._name)

    def _statement(self, view: str, matches: Mapping[str, str], columns: Sequence[str]) -> str:
        """The matched clause is there also when nothing is to be updated: of a MERGE that only inserts, Spark
        makes an append, which Iceberg commits beside whatever another writer has added, equal keys included.
        """
        every = self.read().columns
        values = {name: f"s.{quoted(name)}" if name in columns else "NULL" for name in every}
        on = " AND ".join(f"t.{quoted(name)} = s.{quoted(found)}" for name, found in matches.items())
        sets = ", ".join(f"t.{quoted(name)} = {value}" for name, value in values.items())
        names = ", ".join(map(quoted, every))
        return (
            f"MERGE INTO {self._name} t USING {view} s ON {on} WHEN MATCHED THEN UPDATE SET {sets} "
            f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({', '.join(values.values())})"
        )

    def _commit(self, merge: Callable[[], object], summary: Mapping[str, str]) -> None:
        """SQL has no words for a snapshot's summary; Iceberg takes it from the thread that commits."""
        call = _Callable(merge)
        jvm = self._session._jvm
        ensure_callback_server_started(self._session.sparkContext._gateway)
        error_class = jvm.java.lang.Class.forName("java.lang.RuntimeException")
        jvm.org.apache.iceberg.spark.CommitMetadata.withCommitProperties(dict(summary), call, error_class)
        if isinstance(call.error, AnalysisException):
            raise call.error  # nothing was begun
        if isinstance(call.error, Exception):
            classes = _classes(call.error)
            if _CONFLICTS & {*classes}:
                raise CommitConflict(self.label)
            raise CommitStateUnknown(self.label, classes[-1].rpartition(".")[2]) from None


class _Callable:
    """A java.util.concurrent.Callable; what it raises is kept, since Java would make text of it."""

    def __init__(self, function: Callable[[], object]):
        self._function = function
        self.error: Exception | None = None

    def call(self) -> None:
        try:
            self._function()
        except Exception as error:
            self.error = error

    class Java:
        implements = ("java.util.concurrent.Callable",)


def _classes(error: Exception) -> list[str]:
    """The class of an error, and of its causes, in Java if it comes from there."""
    if isinstance(error, Py4JJavaError):
        cause = error.java_exception
    elif isinstance(error, PySparkException):
        cause = getattr(error, "_origin", None)
    else:
        cause = None
    found = []
    while cause is not None:
        found.append(cause.getClass().getName())
        cause = cause.getCause()
    return found or [type(error).__name__]
