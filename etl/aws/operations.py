"""The records of runs, in the docs zone. Standard library and boto3 only: the Lambdas use it."""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any

from etl.aws.freshness import update_latest
from etl.aws.object_store import find_json, list_keys, list_objects, read_object, update_json, write_object
from etl.operations.freshness import Cause
from etl.operations.intervention import Intervention
from etl.operations.records import (
    EXPECTATION_RESULTS,
    INTERVENTIONS,
    RUNS,
    ExpectationRecord,
    RunRecord,
    dataset_folder,
    record_key,
    to_lines,
)

_READERS = 10  # as many connections as botocore keeps


def update_run(
    docs_bucket: str, begun: RunRecord, change: Callable[[RunRecord], RunRecord] = lambda run: run
) -> None:
    """Replace the run's record by `change` of it, or of `begun` if there is none yet."""
    key = record_key(RUNS, begun.dataset, begun.batch_date, begun.run_id)

    def changed(row: Mapping[str, Any] | None) -> dict[str, Any]:
        return change(RunRecord.from_row(row) if row else begun).to_row()

    update_json(docs_bucket, key, changed)


def read_run(docs_bucket: str, like: RunRecord, run_id: str) -> RunRecord | None:
    """The record of another run over the same batch, if it left one."""
    key = record_key(RUNS, like.dataset, like.batch_date, run_id)
    row = find_json(docs_bucket, key)
    return RunRecord.from_row(row) if row else None


def record_failed_run(
    docs_bucket: str,
    run_id: str,
    properties: Mapping[str, str],
    step: str,
    error: str,
    attempts: int,
    at: datetime,
) -> None:
    """Let the run's record say that its `attempts`-th attempt failed in `step`, and tell the probe.

    Again changes nothing.

    `properties` is what the workflow run carries (etl.batch.to_run_properties). A run that was published in
    the meantime stays so.
    """
    begun = RunRecord.of_properties(run_id, properties)
    update_run(docs_bucket, begun, lambda run: run.failed(step, error, attempts, at))
    version_id, day = properties["version_id"], date.fromisoformat(properties["batch_date"])
    update_latest(docs_bucket, begun.dataset, lambda known: known.with_refused(version_id, day, Cause.FAILED))


def write_expectation_results(docs_bucket: str, records: Sequence[ExpectationRecord]) -> None:
    """All of one run's, in place of what an earlier try wrote; a file that cannot be read has none."""
    if records:
        of = records[0]
        key = record_key(EXPECTATION_RESULTS, of.dataset, of.batch_date, of.run_id)
        write_object(docs_bucket, key, to_lines(records).encode(), "application/json")


def read_newest_runs(docs_bucket: str, dataset: str, count: int) -> list[RunRecord]:
    """The runs whose records were written last, newest first."""
    listed = sorted(list_objects(docs_bucket, dataset_folder(RUNS, dataset)), key=lambda entry: entry[1])
    return _read_runs(docs_bucket, [key for key, _ in reversed(listed)][:count])


def read_runs_since(docs_bucket: str, dataset: str, first: date) -> list[RunRecord]:
    """The runs over batches of that date and later, in no order."""
    folder = dataset_folder(RUNS, dataset)
    keys = list(list_keys(docs_bucket, folder, after=f"{folder}{first:%Y-%m}"))
    return [run for run in _read_runs(docs_bucket, keys) if run.batch_date >= str(first)]


def read_interventions(docs_bucket: str, dataset: str) -> list[Intervention]:
    """Open ones and others, the oldest first."""
    rows = _read_rows(docs_bucket, list(list_keys(docs_bucket, dataset_folder(INTERVENTIONS, dataset))))
    return sorted((Intervention(**row) for row in rows), key=lambda one: one.opened_at)


def _read_runs(docs_bucket: str, keys: Sequence[str]) -> list[RunRecord]:
    return [RunRecord.from_row(row) for row in _read_rows(docs_bucket, keys)]


def _read_rows(docs_bucket: str, keys: Sequence[str]) -> list[dict[str, Any]]:
    with ThreadPoolExecutor(max_workers=_READERS) as pool:
        return list(pool.map(lambda key: json.loads(read_object(docs_bucket, key)), keys))
