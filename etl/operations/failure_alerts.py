"""What people are told of a failure, and of its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from etl.alert import Alert, AlertKind, Severity, compose
from etl.operations.case import Case, Decision, Failure
from etl.operations.links import replay_command
from etl.operations.retry import RetryPolicy

_WRITTEN = {
    "gate": "nothing: the table is as it was, and readers see the last good batch",
    "merge": "what the gate passed is staged; of it all or nothing is in the table, depending on whether the "
    "failure came after the commit. A further try finds that out and writes nothing twice",
}


@dataclass(frozen=True, slots=True)
class Context:
    """What an alert needs beside the case. `docs_uri` is None when the gate left no page."""

    environment: str
    runbooks_url: str
    policy: RetryPolicy
    logs: str
    docs_uri: str | None


def compose_failure(case: Case, failure: Failure, context: Context) -> Alert:
    """One message for a run however many of its tries fail, and one when people have to act."""
    kind, severity, outcome, next_step = _CASES[failure.decision](case, failure, context)
    facts: dict[str, str | Sequence[str] | None] = {
        "Dataset": case.dataset,
        "Batch date": case.batch_date,
        "File": f"version {case.version_id}",
        "Step": f"{failure.step}, which ended as {failure.state}",
        "Error": failure.error,
        "Failures": str(failure.number),
        "Retry": outcome,
        "Written": _WRITTEN.get(failure.step),
        "Data Docs": context.docs_uri,
        "Logs": context.logs,
        "Run": failure.run_id,
    }
    return compose(
        dataset=case.dataset,
        kind=kind,
        severity=severity,
        scope=case.intervention_run_id or case.first_run_id,
        headline=f"{case.dataset} of {case.batch_date}: {_HEADLINES[kind].format(step=failure.step)}",
        facts=facts,
        next_step=next_step,
        runbooks_url=context.runbooks_url,
        run_id=failure.run_id,
    )


_HEADLINES = {
    AlertKind.RUN_FAILED: "the {step} failed, and is tried again",
    AlertKind.RUN_STOPPED: "the {step} was stopped by a person",
    AlertKind.MANUAL_INTERVENTION: "the {step} failed, and somebody has to look at it",
}

_Told = tuple[AlertKind, Severity, str, str]


def _retried(case: Case, failure: Failure, context: Context) -> _Told:
    number = f"{case.retries} of {context.policy.attempts}"
    at = f"{datetime.fromisoformat(failure.resume_at or failure.ended_at):%H:%M:%S} UTC"
    outcome = f"number {number}, at {at}, from the {failure.step} on"
    next_step = (
        "Nothing has to be done now. There will be one more message: that it recovered, or that somebody has "
        "to look."
    )
    return AlertKind.RUN_FAILED, "warning", outcome, next_step


def _stopped(_case: Case, failure: Failure, context: Context) -> _Told:
    next_step = f"Whoever stopped it starts it again: {replay_command(failure.run_id, context.environment)}"
    return AlertKind.RUN_STOPPED, "warning", "none: a person stopped it", next_step


def _given_up(case: Case, failure: Failure, context: Context) -> _Told:
    outcome = f"none any more, after {case.retries} retries" if case.retries else "none"
    command = replay_command(failure.run_id, context.environment)
    next_step = f"Once the cause is gone, resume the run at the {failure.step}: {command}"
    return AlertKind.MANUAL_INTERVENTION, "critical", outcome, next_step


_CASES = {Decision.RETRY: _retried, Decision.TOLD: _stopped, Decision.HUMAN: _given_up}


def compose_recovery(case: Case, run_id: str, published_version: str, runbooks_url: str) -> Alert:
    """The end of a case of which people were told."""
    if case.verdict:
        what = {"rejected": "was rejected", "error": "could not be judged"}[case.verdict]
    else:
        what = f"had failed {len(case.failures)} times" if len(case.failures) > 1 else "had failed"
    by = "a newer version of its file" if published_version != case.version_id else "its file"
    facts = {
        "Dataset": case.dataset,
        "Batch date": case.batch_date,
        "File": f"version {published_version}",
        "Begun": f"with run {case.first_run_id}",
        "Written": "the batch is in the table",
        "Run": run_id,
    }
    return compose(
        dataset=case.dataset,
        kind=AlertKind.RECOVERED,
        severity="info",
        scope=case.first_run_id,
        headline=f"{case.dataset} of {case.batch_date} recovered: it {what}, and {by} is published now",
        facts=facts,
        next_step="Nothing has to be done. What was open about it is resolved.",
        runbooks_url=runbooks_url,
        run_id=run_id,
    )
