"""Reports of a run → its records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from etl.operations.records import ExpectationRecord, RunRecord, RunState, as_timestamp
from etl.run_report import GateReport, MergeReport, Verdict

if TYPE_CHECKING:
    from etl.outcome import ExpectationOutcome  # needs numpy, which no Lambda has


def after_gate(run: RunRecord, report: GateReport, docs_uri: str) -> RunRecord:
    """A gate that could not judge has failed, and says itself why."""
    known = run.went_on(
        state=RunState.REJECTED if report.verdict is Verdict.REJECTED else RunState.GATED,
        verdict=report.verdict,
        reason=report.reason,
        gated_at=_timestamp(report.finished_at),
        gate_seconds=report.seconds["total"],
        rows_read=report.rows_read,
        rows_quarantined=report.rows_quarantined,
        rows_unparsable=report.rows_unparsable,
        expectations_met=report.expectations_met,
        expectations_total=report.expectations_total,
        suite_fingerprint=report.suite_fingerprint,
        docs_uri=docs_uri,
    )
    if report.verdict is Verdict.ERROR:
        at = datetime.fromisoformat(report.finished_at)
        return known.failed("gate", report.why or "", known.attempts, at)
    return known


def after_merge(run: RunRecord, report: MergeReport) -> RunRecord:
    counts = report.counts
    return run.went_on(
        state=RunState.PUBLISHED,
        published_at=_timestamp(report.finished_at),
        merge_seconds=report.seconds["total"],
        rows_read=counts.read,
        rows_inserted=counts.inserted,
        rows_updated=counts.updated,
        rows_unchanged=counts.unchanged,
        rows_skipped=counts.skipped,
        rows_duplicate=counts.duplicates,
        rows_quarantined=counts.quarantined,
        rows_unparsable=counts.unparsable,
        conflicts=report.conflicts,
        already_committed=report.already_committed,
        snapshot_id=report.snapshot_id,
    )


def expectation_records(
    report: GateReport, outcomes: Iterable[ExpectationOutcome]
) -> list[ExpectationRecord]:
    return [
        ExpectationRecord(
            dataset=report.dataset,
            batch_date=report.batch_date,
            run_id=report.run_id,
            batch_id=report.batch_id,
            expectation=outcome.name,
            expectation_type=outcome.expectation_type,
            columns=outcome.columns,
            severity=outcome.severity,
            is_row_level=outcome.is_row_level,
            success=outcome.success,
            rows_judged=outcome.element_count,
            rows_failed=outcome.unexpected_count,
            percent_failed=outcome.unexpected_percent,
            error=outcome.error,
            suite_fingerprint=report.suite_fingerprint,
            gated_at=_timestamp(report.finished_at),
        )
        for outcome in outcomes
    ]


def _timestamp(finished_at: str) -> str:
    return as_timestamp(datetime.fromisoformat(finished_at))
