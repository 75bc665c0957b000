"""Failures that hold no batch up: people are told, and the next run or the schedule does the rest."""

from collections.abc import Mapping

from etl.alert import AlertKind, compose
from etl.aws.alerts import Outbox
from etl.aws.clients import client
from etl.aws.workflow import JobRun
from etl.operations.links import log_url
from etl.settings import FailureSettings


def tell_of_crawler(detail: Mapping[str, str], event_id: str, settings: FailureSettings) -> None:
    """The event's own error message stays in Glue, where few may look: it can quote a file's name."""
    crawler = detail["crawlerName"]
    dataset = crawler.removeprefix(f"{settings.name_prefix}-").removesuffix("-raw")
    alert = compose(
        dataset=dataset,
        kind=AlertKind.CRAWLER_FAILED,
        severity="warning",
        scope=event_id,
        headline=f"{dataset}: the crawler of the raw zone failed",
        facts={
            "Dataset": dataset,
            "Crawler": crawler,
            "Written": "the batch is in the table; its raw files are not described in the catalog yet",
            "Logs": detail["cloudWatchLogLink"],
        },
        next_step="Nothing waits for it. Once the cause is gone (most often a permission that is missing), "
        f"let the next batch start it, or do so now: aws glue start-crawler --name {crawler}. Why it failed: "
        f"aws glue get-crawler --name {crawler} --query Crawler.LastCrawl",
        runbooks_url=settings.runbooks_url,
    )
    Outbox(settings.alert_topic_arn, settings.docs_bucket).send(alert)


def tell_of_lone_job(job: str, job_run_id: str, run: JobRun, settings: FailureSettings) -> None:
    """One of no batch: the maintenance, or a job that somebody started by hand."""
    dataset, step = settings.dataset_and_step(job)
    is_maintenance = step == "maintain"
    written, next_step = _after_maintenance(job) if is_maintenance else _after_hand_started()
    alert = compose(
        dataset=dataset,
        kind=AlertKind.MAINTENANCE_FAILED if is_maintenance else AlertKind.RUN_FAILED,
        severity="warning",
        scope=job_run_id,
        headline=f"{dataset}: the {step} job ended as {run.state}",
        facts={
            "Dataset": dataset,
            "Job": f"{job}, run {job_run_id}",
            "Error": run.message,
            "Written": written,
            "Retry": "none",
            "Logs": log_url(client("logs").meta.region_name, run.log_group, job_run_id),
        },
        next_step=next_step,
        runbooks_url=settings.runbooks_url,
    )
    Outbox(settings.alert_topic_arn, settings.docs_bucket).send(alert)


def _after_maintenance(job: str) -> tuple[str, str]:
    return (
        "the tables hold the rows that they held; what was left undone, the next run does",
        "Until a run succeeds, rows stay in quarantine beyond their time and small files pile up. Once the "
        f"cause is gone, start one, or let the schedule do so: aws glue start-job-run --job-name {job}",
    )


def _after_hand_started() -> tuple[str, str]:
    return (
        "nothing that is known of",
        "It was started by hand and says of no batch that it is for. Land a file, or run make backfill, to "
        "have one loaded.",
    )
