"""The alert about a batch that the gate did not let pass, or let pass with warnings."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from etl.alert import Alert, AlertKind, compose
from etl.aws.lake import Lake
from etl.batch import Batch
from etl.operations.links import replay_command
from etl.outcome import ExpectationOutcome
from etl.quality.suite import Declared, Suite
from etl.run_report import GateReport, Verdict


def compose_gate_alert(
    batch: Batch, report: GateReport, outcomes: Sequence[ExpectationOutcome], suite: Suite | None, lake: Lake
) -> Alert:
    """One message for a run, whichever of its tries ends so; changed columns alone are told once a month."""
    passes = report.verdict.lets_rows_pass
    kind, headline = _kind_and_headline(batch, report)
    facts: dict[str, str | Sequence[str] | None] = {
        "Dataset": batch.dataset,
        "Batch date": str(batch.batch_date),
        "File": f"version {batch.version_id} in {batch.folder_uri}",
        "Verdict": report.verdict,
        "Reason": report.reason,
        "Problems": report.problems,
        "Failed": _describe_failures(outcomes, suite, report),
        "Columns": report.drift.describe(),
        "Rows": f"{report.rows_read} read, {report.rows_quarantined} set aside, "
        f"{report.rows_unparsable} unparsable",
        "Written": _written(report),
        "Retry": None if passes else "none: the same would happen again",
        "Data Docs": lake.docs_uri(report.docs_key),
        "Run": report.run_id,
    }
    return compose(
        dataset=batch.dataset,
        kind=kind,
        severity="warning" if passes else "critical",
        scope=_columns_this_month(report) if kind is AlertKind.COLUMNS_CHANGED else lake.first_run_id,
        headline=headline,
        facts=facts,
        next_step=_look_at(report) if passes else _next_step(report, lake),
        runbooks_url=lake.runbooks_url,
        run_id=report.run_id,
    )


def _kind_and_headline(batch: Batch, report: GateReport) -> tuple[AlertKind, str]:
    what = f"{batch.dataset} of {batch.batch_date}"
    if report.verdict is Verdict.REJECTED:
        return AlertKind.GATE_REJECTED, f"{what} was rejected: nothing was written"
    if report.verdict is Verdict.ERROR:
        return AlertKind.GATE_BROKEN, f"{what} could not be judged: nothing was written"
    if report.warnings:
        return AlertKind.PASSED_WITH_WARNINGS, f"{what} passed, with warnings"
    return AlertKind.COLUMNS_CHANGED, f"{what} passed, with other columns than the contract's"


def _columns_this_month(report: GateReport) -> str:
    """A file of every day that has the same new columns is told of once a month."""
    columns = "\n".join((*sorted(report.drift.new_columns), "", *sorted(report.drift.missing_columns)))
    return f"{report.finished_at[:7]}-{hashlib.sha256(columns.encode()).hexdigest()[:16]}"


def _written(report: GateReport) -> str:
    if report.verdict.lets_rows_pass:
        return f"{report.rows_passed} rows go on to the table; those set aside are in quarantine"
    return "nothing: the table is untouched, and readers see the last good batch"


def _next_step(report: GateReport, lake: Lake) -> str:
    if report.verdict is Verdict.ERROR:
        command = replay_command(report.run_id, lake.environment)
        return f"{report.verdict.next_step} The command: {command}"
    return report.verdict.next_step


def _look_at(report: GateReport) -> str:
    steps = ["The rows are in the table."]
    if report.warnings:
        steps.append("Look at the expectations that failed.")
    if report.drift.changes_schema:
        steps.append(
            "Ask the sender whether the columns changed for good. If so, declare them in the contract: until "
            "then new ones are text and for data stewards alone."
        )
    return " ".join(steps)


def _describe_failures(
    outcomes: Sequence[ExpectationOutcome], suite: Suite | None, report: GateReport
) -> list[str]:
    told = report.warnings if report.verdict.lets_rows_pass else report.failed
    stated = suite.expectations if suite else ()
    return [
        f"{o.name} ({o.severity}): {o.description} {_observed(o, declared, report)}".rstrip()
        for o, declared in zip(outcomes, stated, strict=False)  # no outcomes if it was not judged
        if o.name in told
    ]


def _observed(outcome: ExpectationOutcome, declared: Declared, report: GateReport) -> str:
    """What was found, and what it was compared with if that is the usual: no description can say it."""
    if outcome.is_row_level:
        return f"{outcome.unexpected_count} rows, {outcome.unexpected_percent:.2f} %"
    if outcome.observed_value is None:
        return ""
    usual = figures(declared.parameters, report.usual)
    return f"Observed: {outcome.observed_value}" + (f" ({usual})" if usual else "")


def figures(names: Iterable[str], usual: Mapping[str, int | float | None]) -> str:
    known = {name: usual[name] for name in names if usual.get(name) is not None}
    return ", ".join(f"{name} {figure}" for name, figure in known.items())
