"""Random histories of deliveries, crashes and maintenance, on real Iceberg tables, against a dictionary."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from builders import (
    NOON,
    TODAY,
    a_batch,
    some_employees,
    the_employee_contract,
    the_lineage_columns,
    with_lineage,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.memory import InMemoryCatalog
from pyiceberg.table import Table

from etl.batch import Batch, MergeMode
from etl.maintenance import maintain_table
from etl.merged import Merged
from etl.tables import writing
from etl.tables.iceberg import IcebergTable
from etl.tables.maintenance import StoredFile, Upkeep, place_of
from etl.tables.maintenance_iceberg import MaintainedTable
from etl.tables.table import BATCH_ID, RUN_ID, STAGED_SHA256
from etl.tables.writing import merge_batch

pytestmark = pytest.mark.slow

KEY = the_employee_contract().key
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class File:
    """What lands: a nightly file (upsert) or one of a backfill, for a day, at an hour."""

    number: int
    salaries: tuple[tuple[str, int], ...]
    day: int
    hour: int
    mode: MergeMode

    @property
    def when(self) -> tuple[date, datetime]:
        return TODAY + timedelta(self.day), NOON + timedelta(hours=self.hour)

    @property
    def batch(self) -> Batch:
        on, landed_at = self.when
        return a_batch(on, f"v{self.number}", landed_at=landed_at)

    @property
    def rows(self) -> pa.Table:
        return with_lineage(some_employees(*((n, "X", 30, pay) for n, pay in self.salaries)), self.batch)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A run over the file. `fate` befalls its first commit, during which `rival` may be delivered whole.

    A run that was killed is taken up again if it is `resumed`, under its own run id.
    """

    file: File
    fate: str
    rival: File
    resumed: bool


FATES = ("none", "killed before", "killed after", "lost before", "lost after", "raced")
MAINTAINED = "maintained"


@st.composite
def histories(draw: st.DrawFn) -> list[Delivery | str]:
    salaries = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 3), min_size=1)
    days, hours, modes = st.integers(0, 2), st.integers(0, 2), st.sampled_from(MergeMode)
    files = [
        File(number, tuple(draw(salaries).items()), draw(days), draw(hours), draw(modes))
        for number in range(3)
    ]
    some_file = st.sampled_from(files)
    delivery = st.builds(Delivery, some_file, st.sampled_from(FATES), some_file, st.booleans())
    return draw(
        st.lists(st.one_of(delivery, delivery, delivery, st.just(MAINTAINED)), min_size=1, max_size=6)
    )


@dataclass
class Model:
    """The obviously right table: a row a key, and when a file last wrote that row or found it as it is."""

    rows: dict[str, int] = field(default_factory=dict)
    said: dict[str, tuple[date, datetime]] = field(default_factory=dict)
    taken: set[File] = field(default_factory=set)

    def take(self, file: File) -> None:
        if file in self.taken:
            return
        self.taken.add(file)
        for name, pay in file.salaries:
            if name not in self.rows or (file.mode is MergeMode.UPSERT and self.said[name] <= file.when):
                self.rows[name], self.said[name] = pay, file.when


class Killed(BaseException):
    """No `except Exception` sees it, as none sees a SIGKILL."""


@dataclass
class Interrupted:
    """The catalog, of which one commit has a fate."""

    catalog: Catalog
    fate: str = "none"
    race: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.catalog, name)

    def load_table(self, identifier: Any) -> Table:
        table = self.catalog.load_table(identifier)
        table.catalog = self
        return table

    def commit_table(self, *args: Any, **kwargs: Any) -> Any:
        fate, self.fate = self.fate, "none"
        if fate == "raced":
            self.race()
        if fate in ("killed before", "lost before"):
            raise Killed if fate == "killed before" else ConnectionError
        answer = self.catalog.commit_table(*args, **kwargs)
        if fate in ("killed after", "lost after"):
            raise Killed if fate == "killed after" else ConnectionError
        return answer


@dataclass
class Remembered:
    """etl.steps.confirmed.Confirmations of one file, beside those of others in `all`."""

    file: File
    all: dict[str, tuple[tuple[date, datetime], pa.ChunkedArray]]

    def write(self, keys: pa.ChunkedArray) -> None:
        self.all[self.file.batch.batch_id] = (self.file.when, keys)

    def newer(self, taken: Collection[str]) -> Iterable[pa.ChunkedArray]:
        return [keys for batch, (when, keys) in self.all.items() if batch in taken and when > self.file.when]


class LocalFiles:
    """Implements etl.tables.maintenance.TableFiles."""

    def list(self, location: str) -> Iterator[StoredFile]:
        for path in filter(Path.is_file, Path(place_of(location)).rglob("*")):
            found = path.stat()
            yield StoredFile(str(path), found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def delete(self, files: Sequence[StoredFile]) -> None:
        for file in files:
            Path(file.uri).unlink()


class Lake:
    def __init__(self, catalog: Catalog):
        self._catalog, self._identifier = catalog, ("db", f"t{next(_numbers)}")
        columns = (*the_employee_contract().columns, *the_lineage_columns())
        catalog.create_table(self._identifier, pa.schema([(c.name, c.arrow_type) for c in columns]))
        self._confirmed: dict[str, Any] = {}

    def deliver(self, delivery: Delivery) -> Iterator[tuple[File, Merged]]:
        """Yields what was merged, in the order of the commits, for as far as runs lived to report it."""
        run_id, raced = f"wr_{next(_numbers)}", []
        catalog = Interrupted(self._catalog, delivery.fate)
        catalog.race = lambda: raced.append(
            (delivery.rival, self._merge(delivery.rival, f"wr_{next(_numbers)}"))
        )
        try:
            merged = self._merge(delivery.file, run_id, catalog)
        except Killed:
            if not delivery.resumed:
                return
            merged = self._merge(delivery.file, run_id)
        yield from raced
        yield delivery.file, merged

    def maintain(self) -> None:
        """As much as can be: nothing is kept of the table's past, nor any file that it does not name."""
        upkeep = Upkeep(2**20, 2, timedelta(0), 1, timedelta(0))
        later = datetime.now(UTC) + timedelta(minutes=1)
        maintain_table(MaintainedTable(self._catalog, self._identifier), LocalFiles(), upkeep, later)

    def rows(self) -> list[tuple[str, int, str]]:
        rows = self._catalog.load_table(self._identifier).scan().to_arrow().to_pylist()
        return sorted((row["first_name"], row["salary"]) for row in rows)

    def _merge(self, file: File, run_id: str, catalog: Any = None) -> Merged:
        batch_id = file.batch.batch_id
        marks = {BATCH_ID: batch_id, STAGED_SHA256: batch_id, RUN_ID: run_id}
        table = IcebergTable(catalog or self._catalog, self._identifier)
        heard = Remembered(file, self._confirmed)
        return merge_batch(table, file.rows, marks, KEY, file.mode, confirmations=heard)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    catalog = InMemoryCatalog("test", warehouse=str(tmp_path_factory.mktemp("warehouse")))
    catalog.create_namespace("db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "wait_random_exponential", lambda **_: lambda _state: 0.0)
        yield catalog


@pytest.mark.slow
@settings(max_examples=60)
@given(histories())
def test_any_history_leaves_what_a_dictionary_would(catalog: Catalog, history: list[Delivery | str]):
    """After each step the table is the model's, whoever was killed, raced, repeated or forgotten.

    Each run that lives to tell says of every row where it ended, and of a batch that was there that it was.
    """
    lake, model = Lake(catalog), Model()
    for step in history:
        if step == MAINTAINED:
            lake.maintain()
            continue
        before = set(model.taken)
        for file, merged in lake.deliver(step):
            ended = merged.inserted + merged.updated + merged.unchanged + merged.skipped
            assert ended == len(file.salaries)
            if file in before and step.file != step.rival:
                assert merged.already_committed
            model.take(file)
        if step.fate == "killed after":
            model.take(step.file)
        assert lake.rows() == sorted(model.rows.items())
