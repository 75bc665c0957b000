"""One behaviour, two engines: what a run does does not depend on what it runs on."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from builders import TODAY, a_batch, an_employee_batch, some_employees, with_lineage
from engines import AnEngine, ask_for, on_spark, single_node
from gate_runs import a_sample
from lakes import ALake

from etl.batch import MergeMode
from etl.errors import GateRejected, ManifestInvalid
from etl.merged import Merged
from etl.pipeline import run_gate, run_merge
from etl.run_report import GateReport, MergeReport
from scripts.sample_data import ROW_FAULTS, Day

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SECOND = a_batch(version_id="v2")
TOMORROW = a_batch(TODAY + timedelta(days=1), "v3")


@pytest.fixture(params=["single_node", "spark"])
def engine(request: pytest.FixtureRequest) -> AnEngine:
    if request.param == "single_node":
        return single_node()
    return on_spark(request.getfixturevalue("spark"))


def salaries(lake: ALake) -> dict[str, int]:
    rows = lake.rows().select(["last_name", "salary"]).to_pylist()
    assert len({row["last_name"] for row in rows}) == len(rows), "a key stands twice"
    return {row["last_name"].removeprefix("Núñez "): row["salary"] for row in rows}


def test_a_history_of_merges(lake: ALake, engine: AnEngine):
    """Insert, upsert, backfill, a late batch, nothing new, and a batch again: each does what it is for."""
    first = engine.merge(lake, an_employee_batch(3), a_batch())
    assert lake.rows().to_pylist() == an_employee_batch(3).to_pylist()
    upserted = engine.merge(lake, an_employee_batch(3, SECOND, salary=60_000, first=1), SECOND)
    assert (first.inserted, upserted.inserted, upserted.updated, upserted.committed) == (3, 1, 2, True)
    assert salaries(lake) == {"0": 50_000, "1": 60_000, "2": 60_000, "3": 60_000}
    assert Counter(lake.rows()["_batch_id"].to_pylist()) == {a_batch().batch_id: 1, SECOND.batch_id: 3}

    back = a_batch(version_id="back")
    rows = pa.concat_tables([an_employee_batch(1, back), an_employee_batch(2, back, salary=1, first=3)])
    backfill = engine.merge(lake, rows, back, MergeMode.INSERT_ONLY)
    assert (backfill.inserted, backfill.skipped, backfill.conflicts, backfill.unchanged) == (1, 2, 1, 0)
    assert salaries(lake)["4"] == 1

    engine.merge(lake, an_employee_batch(2, TOMORROW, salary=70_000), TOMORROW)
    late = a_batch(version_id="late")
    merged = engine.merge(lake, an_employee_batch(3, late, salary=2), late)
    assert (merged.updated, merged.skipped, merged.conflicts) == (1, 2, 2)
    assert salaries(lake) == {"0": 70_000, "1": 70_000, "2": 2, "3": 60_000, "4": 1}

    files, snapshots = lake.data_files(), lake.snapshots()
    same = a_batch(version_id="same")
    nothing = engine.merge(lake, an_employee_batch(1, same, salary=2, first=2), same)
    again = engine.merge(lake, an_employee_batch(3), a_batch())
    assert (nothing.unchanged, nothing.committed, nothing.already_committed) == (1, False, False)
    assert (again.already_committed, again.committed, again.skipped) == (True, False, 3)
    assert (lake.snapshots(), lake.data_files()) == (snapshots, files)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_late_batch_heeds_what_either_engine_found_unchanged(
    lake: ALake, other_lake: ALake, spark: Any, is_known: bool
):
    """One engine wrote and found unchanged, the other one comes late, with a batch of a day in between: the
    same rows are left alone, whichever was which; and all of them if the newer batch's hashes are gone."""
    told, tables = [], []
    yesterday, late = a_batch(TODAY - timedelta(days=1), "old"), a_batch(version_id="late")
    turns = (single_node(), on_spark(spark))
    for where, (first, other) in ((lake, turns), (other_lake, turns[::-1])):
        first.merge(where, an_employee_batch(4, yesterday), yesterday)
        assert first.merge(where, an_employee_batch(2, TOMORROW), TOMORROW).unchanged == 2
        if not is_known:
            for key in where.keys("processed", "confirmed/"):
                where.client("s3").delete_object(Bucket=where.bucket("processed"), Key=key)
        merged = other.merge(where, an_employee_batch(5, late, salary=1), late)
        told.append(replace(merged, snapshot_id="", split_keys=None))
        tables.append(salaries(where))

    assert told[0] == told[1]
    assert tables[0] == tables[1]
    assert (told[0].inserted, told[0].updated, told[0].conflicts) == ((1, 2, 2) if is_known else (1, 0, 4))


def test_a_table_that_both_engines_write_is_that_of_one(
    lake: ALake, other_lake: ALake, spark: Any, monkeypatch: Any
):
    """Three days of random files with all faults, each judged and merged by other engines: reports,
    quarantined rows and all rows of the table are those of one process that has done it all."""
    small_splits(monkeypatch)
    alone, both = single_node(), (on_spark(spark), single_node())
    turns = [both, (both[1], both[0]), (both[0], both[0])]
    told: dict[str, list[Any]] = {lake.name: [], other_lake.name: []}
    for days, pair in enumerate(turns):
        data, on = a_messy_file(days), TODAY + timedelta(days % 2)  # the last one comes late
        for where, (judging, merging) in ((lake, (alone, alone)), (other_lake, pair)):
            batch, of_run = where.land(data, on, f"{days}.csv"), where.of_run(f"wr_{days}")
            ask_for(where, judging)
            gate = run_gate(batch, f"wr_{days}", of_run)
            ask_for(where, merging)
            merge = run_merge(batch, MergeMode.UPSERT, f"wr_{days}", of_run)
            told[where.name] += [told_of(gate), told_of(merge)]
    reports = told[lake.name]

    assert told[other_lake.name] == reports
    assert lasting(other_lake) == lasting(lake)
    assert lasting(other_lake, "quarantine") == lasting(lake, "quarantine")
    for count in ("rows_quarantined", "rows_unparsable"):
        assert all(gate[count] > 0 for gate in reports[::2]), count
    for count in ("updated", "unchanged", "duplicates", "inserted"):
        assert any(getattr(merge["counts"], count) > 0 for merge in reports[1::2]), count


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda lines: [*lines[:400], b"\0", *lines[400:]], r"byte \d+ \(line 401\) is NUL"),
        (lambda lines: lines[:1], "critical expectations failed: row_count_plausible"),
        (lambda lines: [*lines[:550], *(b"x,y," for _ in range(100))], "cannot be used, more than the 5 %"),
    ],
)
def test_a_file_is_refused_by_spark_in_the_same_words(
    lake: ALake, spark: Any, monkeypatch: Any, change: Any, problem: str
):
    """Lines and bytes are those of the whole file, whichever split they are in, and nothing is written."""
    small_splits(monkeypatch)
    batch = lake.land(b"\n".join(change(a_sample().content.splitlines())) + b"\n")
    refusals = []
    for engine in (single_node(), on_spark(spark)):
        ask_for(lake, engine)
        with pytest.raises(GateRejected, match=problem) as caught:
            run_gate(batch, engine.name, lake.of_run(engine.name))
        refusals.append(caught.value.reason)

    assert refusals[0] == refusals[1]
    assert lake.snapshots("quarantine") == 0
    assert lake.keys("processed", "staging/") == []


def test_two_backfills_on_spark_at_once_add_no_key_twice(lake: ALake, spark: Any):
    """Both find the table without the keys, and one of them has to look again."""
    start = threading.Barrier(2)

    def write(number: int) -> Merged:
        batch = a_batch(version_id=f"w{number}")
        session = spark.newSession()  # with a catalog of its own, as another job has
        session._jvm.SparkSession.setActiveSession(session._jsparkSession)
        engine = on_spark(session)
        start.wait()
        rows = an_employee_batch(2, batch, salary=number, first=number)
        return engine.merge(lake, rows, batch, MergeMode.INSERT_ONLY)

    with ThreadPoolExecutor(2) as pool:
        merged = [*pool.map(write, range(2))]

    assert sorted(salaries(lake)) == ["0", "1", "2"]
    assert sorted(m.inserted for m in merged) == [1, 2]
    assert max(m.attempts for m in merged) > 1, "no conflict happened, so nothing was tried"


def test_a_single_node_run_that_comes_between_is_not_overlooked(lake: ALake, spark: Any, monkeypatch: Any):
    """What another engine commits between Spark's plan and its MERGE makes it plan again: no key stands
    twice, and no newer value is overwritten."""
    from etl.spark.pinned import PinnedTable

    single_node().merge(lake, an_employee_batch(1), a_batch())
    merge = PinnedTable.merge
    newer = an_employee_batch(2, TOMORROW, salary=9)

    def after_another(self: Any, *arguments: Any) -> None:
        single_node().merge(lake, newer, TOMORROW)
        merge(self, *arguments)

    monkeypatch.setattr(PinnedTable, "merge", after_another)
    merged = on_spark(spark).merge(lake, an_employee_batch(3, SECOND, salary=1), SECOND)

    assert salaries(lake) == {"0": 9, "1": 9, "2": 1}
    assert (merged.inserted, merged.skipped, merged.attempts) == (1, 2, 2)


def test_staged_rows_that_were_tampered_with_are_refused_by_the_executors(lake: ALake, spark: Any):
    """The error that an executor ends on is the run's, and the table stays as it is."""
    batch, of_run = lake.land(a_sample().content), lake.of_run("wr_1")
    run_gate(batch, "wr_1", of_run)
    key = "staging/employee/wr_1/batch.parquet"
    lake.client("s3").put_object(Bucket=lake.bucket("processed"), Key=key, Body=b"PAR1")
    ask_for(lake, on_spark(spark))

    with pytest.raises(ManifestInvalid, match="the staged file is not the one the gate wrote"):
        run_merge(batch, MergeMode.UPSERT, "wr_1", of_run)
    assert lake.snapshots() == 0


def test_conflicts_splits_and_odd_keys_are_told_alike(lake: ALake, other_lake: ALake, spark: Any):
    """Of a late batch full of them, either engine tells the same counts, and names the same keys in order."""
    known = some_employees(*((f"{n}", "Known  As", 30, 1) for n in range(9)))
    told = []
    for where, engine in ((lake, single_node()), (other_lake, on_spark(spark))):
        single_node().merge(where, with_lineage(known, TOMORROW), TOMORROW)
        older = [(f" {n}", "Known As", 30 + n % 3, 2 + n % 2) for n in range(9)]
        merged = engine.merge(where, with_lineage(some_employees(*older), a_batch()), a_batch())
        told.append(replace(merged, snapshot_id=""))

    assert told[0] == told[1]
    assert (told[0].conflicts, told[0].splits, told[0].inserted) == (3, 3, 6)


def small_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small that a small file has several."""
    from etl.spark.gate import SparkGate

    monkeypatch.setattr(SparkGate.__init__, "__defaults__", (15_000,))


def a_messy_file(days: int) -> bytes:
    """A sample with its faults and, drawn by chance, quoted line ends, odd spaces, and rows twice."""
    chance = random.Random(days)
    sample = a_sample(TODAY, day=Day.NEXT if days else Day.FIRST, faults=ROW_FAULTS)
    header, *lines = sample.content.decode().splitlines()
    for _ in range(12):
        number = chance.randrange(len(lines))
        first, rest = lines[number].split(",", 1)
        lines.insert(chance.randrange(len(lines)), f"{first},{rest}")
        lines[number] = chance.choice(
            (f'"{first}\nx",{rest}', f" {first} ,{rest}", f'"{first}",{rest}', rest)
        )
    chance.shuffle(lines)
    return "\n".join((header, *lines, "")).encode()


def told_of(report: GateReport | MergeReport) -> dict[str, Any]:
    """All that a report says but for what no two tables have alike; hashes of keys have a secret."""
    told = {name: getattr(report, name) for name in type(report).__dataclass_fields__}
    for name in ("batch_id", "folder_uri", "object_version", "snapshot_id", "finished_at", "seconds"):
        told.pop(name, None)
    for name in ("conflict_keys", "split_keys", "collision_keys"):
        if name in told:
            told[name] = len(told[name])
    return told


def lasting(lake: ALake, zone: str = "processed") -> list[str]:
    """All rows but for when a run was, and what the two lakes' buckets are called and gave."""
    differing = {
        "_ingested_at",
        "_object_version",
        "_batch_id",
        "quarantined_at",
        "object_version",
        "batch_id",
    }
    rows = lake.rows(zone)
    kept = rows.drop_columns([*differing.intersection(rows.column_names)])
    return sorted(map(str, kept.to_pylist()))
