"""What follows from a failure: its own class decides, and how often it happened before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from etl import errors
from etl.errors import LakegateError
from etl.operations.case import Case, Decision
from etl.operations.failure import Ended, JobError, Outlook
from etl.operations.failure_alerts import Context, compose_failure, compose_recovery
from etl.operations.links import log_url, replay_command
from etl.operations.retry import RetryPolicy

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
POLICY = RetryPolicy(attempts=3, base_seconds=60, factor=2, jitter_percent=0)
HOPELESS, RETRY, VERDICT = Outlook.HOPELESS, Outlook.RETRY, Outlook.VERDICT
OUTLOOKS = {
    "ArgumentsInvalid": HOPELESS,
    "CommitConflict": RETRY,
    "CommitStateUnknown": RETRY,
    "ContractInvalid": HOPELESS,
    "FileRejected": HOPELESS,
    "FilesNotRemoved": RETRY,
    "GateBroken": VERDICT,
    "GateRejected": VERDICT,
    "HistoryInvalid": HOPELESS,
    "KeyNotUnique": HOPELESS,
    "MaintenanceUnsound": HOPELESS,
    "ManifestInvalid": HOPELESS,
    "ObjectMissing": HOPELESS,
    "RawKeyInvalid": HOPELESS,
    "RowsNotConserved": HOPELESS,
    "RunFailed": RETRY,
    "SuiteInvalid": HOPELESS,
}


def an_end(
    message: str = "", state: str = "FAILED", record: JobError | None = None, jr: str = "jr_1"
) -> Ended:
    return Ended("lakegate-employee-merge", jr, state, message, record)


def test_every_error_of_ours_has_an_outlook():
    """Whoever adds an error says what follows from it."""
    ours = {
        name
        for name, found in vars(errors).items()
        if isinstance(found, type) and issubclass(found, LakegateError) and found is not LakegateError
    }

    assert ours == OUTLOOKS.keys()


@pytest.mark.parametrize("name", OUTLOOKS)
def test_an_error_says_by_its_class_whether_a_retry_can_help(name: str):
    """The record that the job left decides; without one its class in Glue's message does, whatever Glue puts
    before it."""
    record = JobError("jr_1", name, "…", getattr(errors, name).retryable)

    assert an_end("Command failed with exit code 10", record=record).outlook is OUTLOOKS[name]
    assert an_end(f"{name}: what it says").outlook is OUTLOOKS[name]
    category = f"Error Category: UNCLASSIFIED_ERROR; Failed line number: 9; {name}: what it says"
    assert an_end(category).outlook is OUTLOOKS[name]


@pytest.mark.parametrize(
    "message", ["", "Command failed with exit code 137", "ValueError: about GateRejected", "LAUNCH ERROR | x"]
)
def test_a_failure_that_nobody_knows_is_tried_again(message: str):
    """A process that was killed leaves no record, and Glue's message names no error of ours."""
    assert an_end(message).outlook is Outlook.RETRY
    assert an_end(message).error == (message or "FAILED, and nothing was said")


def test_a_timeout_is_tried_again_and_what_a_person_stopped_is_not():
    """The state says it, whatever the record of an earlier job run may say."""
    record = JobError("jr_1", "RowsNotConserved", "…", retryable=False)

    assert an_end(state="TIMEOUT", record=record).outlook is Outlook.RETRY
    assert an_end(state="STOPPED").outlook is Outlook.STOPPED


def test_the_waits_are_one_two_and_four_minutes():
    """They grow by the factor; jitter makes them longer, never longer than SQS can delay."""
    assert [POLICY.delay_seconds(retry, 0.9) for retry in (1, 2, 3)] == [60, 120, 240]
    jittered = replace(POLICY, jitter_percent=20)
    assert [jittered.delay_seconds(1, chance) for chance in (0, 0.5, 1)] == [60, 66, 72]
    assert replace(POLICY, base_seconds=600).delay_seconds(3, 0) == 900


def a_case() -> Case:
    properties = {
        "dataset": "employee", "batch_date": "2026-11-24", "version_id": "v1", "landed_at": NOW.isoformat()
    }  # fmt: skip
    return Case.of(properties, "wr_1")


def failing(case: Case, times: int) -> Case:
    for _ in range(times):
        number = len(case.failures) + 1
        at = NOW + timedelta(minutes=number)
        case = case.add(an_end(jr=f"jr_{number}"), f"wr_{number}", "merge", at, POLICY, NOW, 0)
    return case


def test_the_fourth_failure_is_for_a_human():
    """Three retries, each counted with the case; then somebody has to look."""
    decisions = [failure.decision for failure in failing(a_case(), 4).failures]

    assert decisions == [Decision.RETRY, Decision.RETRY, Decision.RETRY, Decision.HUMAN]


def test_a_failure_is_counted_once_however_often_it_is_told():
    """The same job run again changes nothing, not even the time of its retry."""
    case = failing(a_case(), 1)

    again = case.add(an_end(), "wr_1", "merge", NOW, POLICY, NOW + timedelta(minutes=3), 1)
    assert again is case


def test_what_failed_before_the_file_was_published_is_no_news():
    """An event that comes late opens no closed case; a new failure does, and begins to count anew."""
    closed = failing(a_case(), 2).close(NOW + timedelta(minutes=5))
    late = closed.add(replace(an_end(), job_run_id="jr_9"), "wr_9", "merge", NOW, POLICY, NOW, 0)
    anew = closed.add(
        replace(an_end(), job_run_id="jr_9"), "wr_9", "merge", NOW + timedelta(minutes=6), POLICY, NOW, 0
    )

    assert late is closed
    assert anew.is_open
    assert [failure.job_run_id for failure in anew.failures] == ["jr_9"]
    assert anew.first_run_id == "wr_9"


def test_nothing_is_retried_while_somebody_is_at_work_on_it():
    """With an open intervention a failure is for a human, also one that is retried else."""
    case = replace(failing(a_case(), 1), intervention_run_id="wr_1")

    assert failing(case, 1).failures[-1].decision is Decision.HUMAN


def test_a_retry_that_never_came_is_not_settled():
    """The sweep sends for it once more, long after the message should have been delivered."""
    failure = replace(failing(a_case(), 1).failures[0], is_done=True)

    assert failure.is_settled(NOW + timedelta(minutes=30))
    assert not failure.is_settled(NOW + timedelta(minutes=50))
    assert replace(failure, resumed_run_id="wr_2").is_settled(NOW + timedelta(days=1))
    assert not replace(failure, is_done=False).is_settled(NOW)


def test_a_case_survives_its_document():
    """What is read is what was written."""
    case = failing(a_case(), 2).judge("rejected", "wr_1")

    assert Case.from_document(case.to_document()) == case


@pytest.mark.parametrize(
    ("ended", "kind", "severity", "says"),
    [
        (an_end(), "run-failed", "warning", "number 1 of 3, at 12:01:00 UTC, from the merge on"),
        (
            an_end(state="STOPPED"),
            "run-stopped",
            "warning",
            "Whoever stopped it starts it again: make",
        ),
        (
            an_end("RowsNotConserved: …"),
            "manual-intervention",
            "critical",
            "resume the run at the merge",
        ),
    ],
)
def test_people_are_told_what_happens_next(ended: Ended, kind: str, severity: str, says: str):
    """That it is tried again and when, or what to type; and what of it may be in the table."""
    case = a_case().add(ended, "wr_2", "merge", NOW, POLICY, NOW, 0)
    context = Context("dev", "docs/runbooks", POLICY, "https://logs", None)
    alert = compose_failure(case, case.failures[0], context)

    assert (alert.kind, alert.severity, alert.scope, alert.run_id) == (kind, severity, "wr_1", "wr_2")
    for fact in (
        says,
        "employee of 2026-11-24",
        "version v1",
        "all or nothing is in the table",
        "https://logs",
    ):
        assert fact in alert.text


def test_a_recovery_says_what_is_over():
    """Of a rejected batch that a newer version of its file came, of a failed one how often it had failed."""
    rejected = compose_recovery(a_case().judge("rejected", "wr_1"), "wr_9", "v2", "docs/runbooks")
    failed = compose_recovery(failing(a_case(), 2), "wr_3", "v1", "docs/runbooks")

    assert "recovered: it was rejected, and a newer version of its file is published now" in rejected.headline
    assert "recovered: it had failed 2 times, and its file is published now" in failed.headline
    assert rejected.scope == failed.scope == "wr_1"
    assert failed.severity == "info"


def test_a_command_names_the_environment_unless_it_is_this_machine():
    """What an alert says can be pasted."""
    assert replay_command("wr_1", "local") == "make replay RUN=wr_1"
    assert replay_command("wr_1", "dev") == "make replay RUN=wr_1 ENV=dev"


def test_the_link_to_a_log_escapes_names_as_the_console_does():
    """A slash is $252F there."""
    url = log_url("eu-central-1", "/aws-glue/jobs/error", "jr_1")

    assert url.endswith("#logsV2:log-groups/log-group/$252Faws-glue$252Fjobs$252Ferror/log-events/jr_1")
