"""What follows from a job run that ended badly."""

import logging
import random
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil

from etl.aws.alerts import Outbox
from etl.aws.cases import change_case
from etl.aws.clients import client
from etl.aws.metrics import publish_metrics
from etl.aws.object_store import find_json, read_object, write_object
from etl.aws.operations import record_failed_run
from etl.aws.queue import send_later
from etl.aws.workflow import FAILED_STATES, JobRun, RunChain, find_chain, find_job_run
from etl.errors import ObjectMissing
from etl.lambdas.side_failures import tell_of_lone_job
from etl.operations.case import NAMED_BY, Case, Decision, Failure
from etl.operations.failure import Ended, JobError, Outlook
from etl.operations.failure_alerts import Context, compose_failure
from etl.operations.intervention import Intervention, intervention_key
from etl.operations.links import log_url, replay_command
from etl.run_files import error_key, gate_report_key, page_key
from etl.settings import FailureSettings

logger = logging.getLogger(__name__)


def handle_job_run(job: str, job_run_id: str, settings: FailureSettings) -> None:
    """Do once what follows from a job run that ended badly, however often it is told."""
    run = find_job_run(job, job_run_id)
    if run.state not in FAILED_STATES:
        logger.info("%s: its state is %s now", job_run_id, run.state)
        return
    dataset, step = settings.dataset_and_step(job)
    chain = find_chain(run.workflow_name, run.workflow_run_id) if run.workflow_run_id else None
    if not chain or not chain.properties.keys() >= set(NAMED_BY):
        tell_of_lone_job(job, job_run_id, run, settings)
        return
    record = _read_error(dataset, step, job_run_id, run, settings)
    ended = Ended(job, job_run_id, run.state, run.message, record)
    if ended.outlook is Outlook.VERDICT:
        logger.info("run %s: the gate has judged, and told people itself", run.workflow_run_id)
        return
    case = _add_to_case(ended, step, run, chain, settings)
    failure = case.find(job_run_id)
    if failure is None or not case.is_open or failure.is_settled(datetime.now(UTC)):
        logger.info("%s is known", job_run_id)
        return
    _carry_out(case, failure, run, chain, settings)


def _add_to_case(ended: Ended, step: str, run: JobRun, chain: RunChain, settings: FailureSettings) -> Case:
    now, chance = datetime.now(UTC), random.random()

    def add(case: Case) -> Case:
        return case.add(ended, chain.run_ids[0], step, run.ended_at, settings.retries, now, chance)

    return change_case(settings.docs_bucket, Case.of(chain.properties, chain.first), add)


def _carry_out(case: Case, failure: Failure, run: JobRun, chain: RunChain, settings: FailureSettings) -> None:
    """Each part can be done again: a run is resumed once, and an alert sent once, however often asked."""
    docs_uri = _find_docs(case.dataset, chain, settings)
    record_failed_run(
        settings.docs_bucket,
        failure.run_id,
        chain.properties,
        failure.step,
        failure.error,
        failure.number,
        run.ended_at,
    )
    if failure.decision is Decision.HUMAN:
        case = _open_intervention(case, failure, run, docs_uri, settings)
    if failure.decision is Decision.RETRY:
        resume_at = datetime.fromisoformat(failure.resume_at or failure.ended_at)
        seconds = max(0, ceil((resume_at - datetime.now(UTC)).total_seconds()))
        send_later(settings.retry_queue_name, resume_message(case, failure), seconds)
    logs = log_url(client("logs").meta.region_name, run.log_group, failure.job_run_id)
    context = Context(settings.environment, settings.runbooks_url, settings.retries, logs, docs_uri)
    Outbox(settings.alert_topic_arn, settings.docs_bucket).send(compose_failure(case, failure, context))
    done = {"is_done": True}
    change_case(settings.docs_bucket, case, lambda known: known.change_failure(failure.job_run_id, **done))
    logger.info("%s of run %s: %s", failure.step, failure.run_id, failure.decision)


def resume_message(case: Case, failure: Failure) -> dict[str, str]:
    return {
        "dataset": case.dataset,
        "batch_date": case.batch_date,
        "version_id": case.version_id,
        "job_run_id": failure.job_run_id,
    }


def _open_intervention(
    case: Case, failure: Failure, run: JobRun, docs_uri: str | None, settings: FailureSettings
) -> Case:
    """Write the record, or bring the open one up to date; the case remembers which it is."""
    opened_by = case.intervention_run_id or failure.run_id
    key = intervention_key(case.dataset, opened_by)
    record = Intervention(
        dataset=case.dataset,
        batch_date=case.batch_date,
        run_id=opened_by,
        step=failure.step,
        error=failure.error,
        attempts=failure.number,
        opened_at=next(f.ended_at for f in case.failures if f.decision is Decision.HUMAN),
        resolved_at=None,
        resume_command=replay_command(failure.run_id, settings.environment),
        log_group=run.log_group,
        docs_uri=docs_uri,
    )
    write_object(settings.docs_bucket, key, record.to_json().encode(), "application/json")
    if not case.intervention_run_id:
        publish_metrics(settings.metrics_namespace, case.dataset, {"ManualInterventions": 1})
    opened = {"intervention_run_id": opened_by}
    return change_case(settings.docs_bucket, case, lambda known: replace(known, **opened))


def _read_error(
    dataset: str, step: str, job_run_id: str, run: JobRun, settings: FailureSettings
) -> JobError | None:
    """What the job run itself wrote about its end, and no other job run of the same workflow run."""
    key = error_key(dataset, run.workflow_run_id, step)
    try:
        record = JobError.from_json(read_object(settings.docs_bucket, key))
    except ObjectMissing:
        return None
    return record if record.job_run_id == job_run_id else None


def _find_docs(dataset: str, chain: RunChain, settings: FailureSettings) -> str | None:
    for run_id in chain.run_ids:
        if report := find_json(settings.docs_bucket, gate_report_key(dataset, run_id)):
            return f"s3://{settings.docs_bucket}/{page_key(report['docs_key'])}"
    return None
