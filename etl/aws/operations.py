"""The records of runs, in the docs zone. Standard library and boto3 only: the Lambdas use it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from etl.aws.freshness import update_latest
from etl.aws.object_store import update_json, write_object
from etl.operations.freshness import Cause
from etl.operations.records import (
    EXPECTATION_RESULTS,
    RUNS,
    ExpectationRecord,
    RunRecord,
    record_key,
    to_lines,
)


def update_run(
    docs_bucket: str, begun: RunRecord, change: Callable[[RunRecord], RunRecord] = lambda run: run
) -> None:
    """Replace the run's record by `change` of it, or of `begun` if there is none yet."""
    key = record_key(RUNS, begun.dataset, begun.batch_date, begun.run_id)

    def changed(row: Mapping[str, Any] | None) -> dict[str, Any]:
        return change(RunRecord.from_row(row) if row else begun).to_row()

    update_json(docs_bucket, key, changed)


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
