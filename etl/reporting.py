"""What a run tells: its report, its Data Docs page, its metrics and, where somebody must act, an alert."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from etl.aws.lake import Lake
from etl.batch import Batch, MergeMode
from etl.contract import Contract
from etl.custom_properties import Identity
from etl.gate_alert import compose_gate_alert, figures
from etl.gates import ReadFile
from etl.identity_alert import compose_identity_alert
from etl.manifest import Manifest
from etl.merged import Duplicates, Merged
from etl.operations.freshness import Cause
from etl.operations.runs import after_gate, after_merge, expectation_records
from etl.outcome import ExpectationOutcome
from etl.publishing import publish_run
from etl.quality.data_docs import page_of
from etl.quality.suite import Suite
from etl.quality.validate import Validation
from etl.run_report import GateReport, MergeReport, RowCounts, Verdict
from etl.schema_drift import Drift
from etl.steps.gate import Judgement
from etl.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class Finding:
    """What the gate found out; a part is None when the gate did not get that far.

    `declared` is the contract as it was deployed, `contract` the same with the columns that the file brought.
    """

    judgement: Judgement
    declared: Contract | None
    contract: Contract | None
    suite: Suite | None
    read: ReadFile | None
    validation: Validation | None
    usual: Mapping[str, int | float | None] = field(default_factory=dict)

    @property
    def rows_read(self) -> int:
        return self.read.count if self.read else 0

    @property
    def rows_passed(self) -> int:
        if not self.judgement.verdict.lets_rows_pass:
            return 0
        return self.rows_read - self.rows_unparsable - self.judgement.rows_rejected

    @property
    def outcomes(self) -> tuple[ExpectationOutcome, ...]:
        return self.validation.outcomes if self.validation else ()

    @property
    def expectations_met(self) -> int:
        return self.validation.expectations_met if self.validation else 0

    @property
    def rows_unparsable(self) -> int:
        return self.read.unparsable_count if self.read else 0

    @property
    def drift(self) -> Drift:
        return self.read.drift if self.read else Drift()


def report_gate(batch: Batch, run_id: str, finding: Finding, lake: Lake, watch: Stopwatch) -> GateReport:
    """Publish the page, the metrics and, unless rows pass, the alert; then write the report."""
    report = _gate_report(batch, run_id, finding)
    with watch.stage("data docs"):
        publish_run(report, finding.validation, dict(_page_facts(report, finding, lake)), lake)
    report = replace(report, seconds=watch.seconds | {"total": watch.total})
    unusable = report.rows_quarantined + report.rows_unparsable
    lake.publish_metrics(
        {
            "RowsRead": report.rows_read,
            "RowsQuarantined": unusable,
            "QuarantinePercent": 100 * unusable / report.rows_read if report.rows_read else 0,
            "BatchRejected": 0 if report.verdict.lets_rows_pass else 1,
            "GateSeconds": watch.total,
        }
    )
    lake.write_expectation_results(expectation_records(report, finding.outcomes))
    lake.update_run(batch, lambda run: after_gate(run, report, lake.docs_uri(report.docs_key)))
    if not report.verdict.lets_rows_pass:
        lake.mark_refused(batch, Cause.REJECTED if report.verdict is Verdict.REJECTED else Cause.FAILED)
        lake.open_case(batch, report.verdict)
    if not report.verdict.lets_rows_pass or report.warnings or report.drift.changes_schema:
        lake.publish_alert(compose_gate_alert(batch, report, finding.outcomes, finding.suite, lake))
    lake.write_gate_report(report)  # last: who finds it may rely on the alert being out, or in the outbox
    return report


def report_merge(
    batch: Batch,
    mode: MergeMode,
    run_id: str,
    manifest: Manifest,
    duplicates: Duplicates,
    merged: Merged,
    identity: Identity | None,
    lake: Lake,
    watch: Stopwatch,
) -> MergeReport:
    """Check that no row is missing or counted twice; alert if keys do not seem to stay with whom they name;
    then write the report and the metrics."""
    counts = RowCounts(
        read=manifest.rows_read,
        inserted=merged.inserted,
        updated=merged.updated,
        unchanged=merged.unchanged,
        skipped=merged.skipped,
        duplicates=duplicates.exact + duplicates.conflicting,
        quarantined=manifest.rows_quarantined,
        unparsable=manifest.rows_unparsable,
    )
    counts.check(batch.batch_id)
    report = MergeReport(
        dataset=batch.dataset,
        batch_id=batch.batch_id,
        run_id=run_id,
        merge_mode=mode,
        counts=counts,
        conflicts=merged.conflicts,
        conflicting_duplicates=duplicates.conflicting,
        splits=merged.splits,
        collisions=duplicates.collisions,
        already_committed=merged.already_committed,
        committed=merged.committed,
        snapshot_id=merged.snapshot_id,
        attempts=merged.attempts,
        finished_at=_now(),
        conflict_keys=lake.hash_keys(merged.conflict_keys),
        split_keys=lake.hash_keys(merged.split_keys),
        collision_keys=lake.hash_keys(duplicates.collision_keys),
        released=len(manifest.released_lines),
        seconds=watch.seconds | {"total": watch.total},
    )
    if identity and _needs_a_look(report, identity):
        lake.publish_alert(compose_identity_alert(batch, report, lake))
    lake.update_run(batch, lambda run: after_merge(run, report))
    lake.mark_published(batch, run_id)
    lake.write_merge_report(report)  # after the alert, so that a run that is killed between tells of both
    lake.publish_metrics(
        {
            "RowsInserted": counts.inserted,
            "RowsUpdated": counts.updated,
            "SuspectedSplits": report.splits,
            "KeyCollisions": report.collisions,
            # A backfill says nothing of today's file, and must not silence the alarm that misses it.
            "BatchPublished": int(mode is MergeMode.UPSERT and not merged.already_committed),
            "MergeSeconds": watch.total,
        }
    )
    lake.settle_cases(batch)  # last: recovered is said of what is done
    return report


def _needs_a_look(report: MergeReport, identity: Identity) -> bool:
    """Whoever is told of every birthday reads no such message any more."""
    return report.collisions > 0 or 100 * report.splits > identity.expected_split_percent * report.counts.read


def _gate_report(batch: Batch, run_id: str, finding: Finding) -> GateReport:
    """The report, but for how long it all took."""
    judgement = finding.judgement
    return GateReport(
        dataset=batch.dataset,
        batch_id=batch.batch_id,
        batch_date=str(batch.batch_date),
        run_id=run_id,
        folder_uri=batch.folder_uri,
        object_version=batch.version_id,
        verdict=judgement.verdict,
        reason=judgement.reason,
        rows_read=finding.rows_read,
        rows_passed=finding.rows_passed,
        rows_quarantined=judgement.rows_rejected,
        rows_unparsable=finding.rows_unparsable,
        expectations_met=finding.expectations_met,
        expectations_total=len(finding.outcomes),
        metrics_fast=finding.validation.metrics_fast if finding.validation else 0,
        metrics_fallback=finding.validation.metrics_fallback if finding.validation else 0,
        failed=judgement.failed,
        warnings=judgement.warnings,
        problems=judgement.problems,
        suite_fingerprint=finding.suite.fingerprint if finding.suite else "",
        docs_key=page_of(batch.dataset, str(batch.batch_date), run_id),
        usual=finding.usual,
        finished_at=_now(),
        drift=finding.drift,
    )


def _page_facts(report: GateReport, finding: Finding, lake: Lake) -> Iterator[tuple[str, str]]:
    """What the run's page tells beside the report, as rows of its table of facts."""
    if report.verdict is Verdict.PASSED_WITH_QUARANTINE:
        yield "Rows set aside, for a data steward", lake.quarantine_query(report.run_id)
    if report.metrics_fast or report.metrics_fallback:
        by_pandas = f", {report.metrics_fallback} by Great Expectations' pandas code"
        yield "Metrics", f"{report.metrics_fast} computed over Arrow{by_pandas}"
    stated = finding.suite.expectations if finding.suite else ()
    asked = [name for declared in stated for name in declared.parameters if name in report.usual]
    if asked:
        yield "Usual", figures(asked, report.usual) or "unknown: too few batches were accepted before"
    if columns := report.drift.describe():
        yield "Columns", columns


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
