"""The wait after a failure is over: resume the run at the step that failed."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from etl.aws.cases import change_case, read_case
from etl.aws.workflow import ACTIVE_STATUSES, find_resuming, find_run, read_chain, resume_run, start_run
from etl.lambdas.messages import NotNow, handle_each
from etl.operations.case import Case, Failure, case_key
from etl.settings import FailureSettings, failure_settings

logger = logging.getLogger()
logger.setLevel(logging.INFO)

# Longer than the function may run, and shorter than its messages stay hidden.
_CLAIM = timedelta(minutes=5)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """SQS hands over what etl.lambdas.job_failures sent; a message that fails comes again."""
    settings = failure_settings()
    return handle_each(event, lambda message: _resume(message, settings))


def _resume(message: Mapping[str, str], settings: FailureSettings) -> None:
    """Make one run of it, however often the message comes.

    Raises NotNow while the run is not over, or somebody else is resuming it.
    """
    key = case_key(message["dataset"], message["batch_date"], message["version_id"])
    case = read_case(settings.docs_bucket, key)
    failure = case.find(message["job_run_id"]) if case else None
    if not case or not failure or not case.is_open or failure.resumed_run_id:
        logger.info("%s: nothing is left to do", message["job_run_id"])
        return
    workflow = settings.workflow_name(case.dataset)
    status = find_run(workflow, failure.run_id).status
    if status in ACTIVE_STATUSES:
        raise NotNow(f"run {failure.run_id} is {status}")
    _claim(case, failure, settings)
    # Whoever claimed it before and was killed may have resumed it, or a person.
    resumed = find_resuming(workflow, failure.run_id) or _start(workflow, failure, status)
    change_case(
        settings.docs_bucket,
        case,
        lambda known: known.change_failure(failure.job_run_id, resumed_run_id=resumed),
    )
    logger.info("run %s goes on from the %s as %s", failure.run_id, failure.step, resumed)


def _claim(case: Case, failure: Failure, settings: FailureSettings) -> None:
    """Let nobody else resume the run meanwhile. Raises NotNow when somebody is at it."""
    now = datetime.now(UTC)
    mine = now.isoformat()

    def claim(known: Case) -> Case:
        claimed = known.find(failure.job_run_id)
        since = claimed.claimed_at if claimed else None
        if since and datetime.fromisoformat(since) > now - _CLAIM:
            return known
        return known.change_failure(failure.job_run_id, claimed_at=mine)

    claimed = change_case(settings.docs_bucket, case, claim).find(failure.job_run_id)
    if not claimed or claimed.claimed_at != mine:
        raise NotNow("somebody else is resuming it")


def _start(workflow: str, failure: Failure, status: str) -> str:
    """Glue resumes completed runs alone; any other is done again from its beginning."""
    if status == "COMPLETED":
        return resume_run(workflow, failure.run_id, failure.job_name)
    return start_run(workflow, read_chain(workflow, failure.run_id).properties)
