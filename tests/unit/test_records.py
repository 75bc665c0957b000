"""The records of runs: they fit their tables, and what is told late or twice does no harm."""

import json
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, get_type_hints

import pytest
import yaml
from builders import EXPECTATIONS, NOON, a_batch, a_gate_report

from etl.batch import MergeMode, to_run_properties
from etl.operations.intervention import Intervention
from etl.operations.records import (
    ExpectationRecord,
    RunRecord,
    RunState,
    as_timestamp,
    from_timestamp,
    record_key,
    to_lines,
)
from etl.operations.runs import after_gate, after_merge
from etl.run_report import MergeReport, RowCounts, Verdict

RECORDS = {"runs": RunRecord, "expectation_results": ExpectationRecord, "interventions": Intervention}
TABLES = yaml.safe_load((EXPECTATIONS / "operations.yaml").read_text())
BEGUN = RunRecord.of_batch("wr_1", a_batch(), "landed", MergeMode.UPSERT)


def a_merge_report(**changes: Any) -> MergeReport:
    known = {f.name: 0 for f in fields(MergeReport)} | {
        "counts": RowCounts(read=3, inserted=2, quarantined=1),
        "finished_at": "2026-11-24T12:03:00+00:00",
        "seconds": {"total": 1.5},
        "snapshot_id": "7",
        "already_committed": False,
    }
    return MergeReport(**known | changes)


def published(run: RunRecord) -> RunRecord:
    return after_merge(run, a_merge_report())


def gated(run: RunRecord, verdict: Verdict = Verdict.PASSED) -> RunRecord:
    report = a_gate_report(verdict=verdict, finished_at=NOON.isoformat(), seconds={"total": 2.0})
    return after_gate(run, report, "s3://docs/page.html")


@pytest.mark.parametrize("table", RECORDS)
def test_a_table_has_the_columns_of_its_records(table: str):
    """expectations/operations.yaml states each field of a record, in order, with the type it has as JSON."""
    hints = get_type_hints(RECORDS[table])
    types = {str: {"string", "date", "timestamp"}, int: {"bigint"}, float: {"double"}, bool: {"boolean"}}
    types |= {tuple[str, ...]: {"array<string>"}, RunState: {"string"}}
    types |= {kind | None: allowed for kind, allowed in types.items()}
    declared = {p["name"]: p["physicalType"] for p in TABLES[table]["properties"]}

    assert list(declared) == [f.name for f in fields(RECORDS[table]) if f.name != "dataset"]
    assert [name for name, kind in declared.items() if kind not in types[hints[name]]] == []
    assert all(p["description"] for p in TABLES[table]["properties"])
    assert set(RECORDS) == set(TABLES)


def test_a_record_is_one_line_and_comes_back():
    """A record survives being written; of one that a later version wrote, what is new is left out."""
    run = gated(BEGUN)
    row = json.loads(to_lines([run]))

    assert to_lines([run]).count("\n") == 1
    assert RunRecord.from_row(row | {"of_a_later_version": 1}) == run
    assert isinstance(RunRecord.from_row(row).state, RunState)


def test_times_are_utc_and_as_hive_takes_them():
    """A timestamp is text without a zone, to the millisecond."""
    moment = datetime.fromisoformat("2026-11-24T01:02:03.456+02:00")
    assert as_timestamp(moment) == "2026-11-23 23:02:03.456"
    assert from_timestamp(as_timestamp(moment)) == moment


def test_the_key_is_a_folder_of_the_tables_projection():
    """Athena finds the records of a dataset and a month without a catalog entry."""
    key = record_key("runs", "employee", a_batch().batch_date, "wr_1")
    assert key == "operations/runs/employee/2026-11/wr_1.json"


def test_a_run_is_known_from_its_properties_too():
    """Who sees only that a run failed begins the same record as the job that began it."""
    properties = to_run_properties(a_batch(), MergeMode.UPSERT, "landed")
    assert RunRecord.of_properties("wr_1", properties) == BEGUN


def test_a_run_that_failed_and_went_on_has_not_failed():
    """What is told of the failure is gone with it, but for how often the run was tried."""
    once = gated(BEGUN).failed("merge", "RunFailed: x", 1, NOON)
    twice = once.failed("merge", "RunFailed: y", 2, NOON)
    done = published(twice)

    assert (once.state, twice.error) == (RunState.FAILED, "RunFailed: y")
    assert (done.state, done.attempts, done.error, done.failed_step) == (RunState.PUBLISHED, 3, None, None)
    assert (done.rows_inserted, done.gated_at) == (2, as_timestamp(NOON))


@pytest.mark.parametrize(
    "known",
    [
        published(gated(BEGUN)),
        gated(BEGUN, Verdict.REJECTED),
        BEGUN.failed("gate", "the second time", 2, NOON),
    ],
    ids=["published", "rejected", "failed again"],
)
def test_a_failure_that_is_told_late_changes_nothing(known: RunRecord):
    """Events come twice and out of order, and one comes of a rejected batch too."""
    assert known.failed("gate", "the first time", 1, NOON) == known


def test_a_gate_that_cannot_judge_has_failed():
    """An error of the check is no verdict on the batch, and the record says what broke."""
    run = gated(BEGUN, Verdict.ERROR)
    assert (run.state, run.failed_step, run.verdict) == (RunState.FAILED, "gate", "error")


def test_a_resumed_run_knows_what_was_found_out():
    """A run that takes up a merge was gated by the run before it, and counts as one more attempt."""
    failed = gated(BEGUN).failed("merge", "RunFailed: x", 1, NOON)
    resumed = failed.resumed_as("wr_2")
    done = published(resumed)

    assert (resumed.run_id, resumed.state, resumed.error) == ("wr_2", RunState.GATED, None)
    assert (done.state, done.attempts, done.gate_seconds) == (RunState.PUBLISHED, 2, 2.0)
    assert BEGUN.failed("gate", "RunFailed: x", 1, NOON).resumed_as("wr_2").state is RunState.STARTED


def test_doing_a_step_again_gives_the_same_record():
    """A step that is repeated replaces what it said, and counts no attempt for it."""
    assert gated(gated(BEGUN)) == gated(BEGUN)
    assert asdict(published(published(gated(BEGUN)))) == asdict(published(gated(BEGUN)))
