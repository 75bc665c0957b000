"""A Glue job or crawler ended badly: make sure that people hear of it, once."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from etl.alert import compose
from etl.aws.alerts import publish_alert
from etl.aws.object_store import read_object
from etl.aws.workflow import find_job_run
from etl.errors import ObjectMissing
from etl.run_files import gate_report_key
from etl.settings import LambdaSettings, from_environment

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """SQS hands over Glue's events about jobs and crawlers; a message that fails comes again."""
    settings = from_environment()
    failed = []
    for record in event["Records"]:
        try:
            detail = json.loads(record["body"])["detail"]
            handle = _tell_of_crawler if "crawlerName" in detail else _handle
            handle(detail, settings)
        except Exception:
            logger.exception("message %s will be tried again", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _handle(detail: Mapping[str, str], settings: LambdaSettings) -> None:
    job = detail["jobName"]
    dataset, _, step = job.removeprefix(f"{settings.name_prefix}-").rpartition("-")
    run = find_job_run(job, detail["jobRunId"])
    workflow, run_id = run.workflow_name, run.workflow_run_id
    if step == "gate" and _is_reported(dataset, run_id, settings):
        logger.info("run %s: the gate refused the batch and raised the alert itself", run_id)
        return
    is_maintenance = step == "maintain"  # which has no batch, and belongs to no workflow
    written, next_step = _after_maintenance(job) if is_maintenance else _after_batch(workflow, run_id)
    alert = compose(
        dataset,
        "warning" if is_maintenance else "critical",
        f"{dataset}: the {step} job ended as {detail['state']}",
        {
            "Dataset": dataset,
            "Job": f"{job}, run {detail['jobRunId']}",
            "Workflow run": f"{workflow}, {run_id}" if workflow else None,
            "Error": detail.get("message"),
            "Written": written,
            "Logs": f"CloudWatch, {run.log_group}, stream {detail['jobRunId']}",
        },
        next_step,
    )
    publish_alert(settings.alert_topic_arn, alert)


def _after_batch(workflow: str, run_id: str) -> tuple[str, str]:
    """What a gate or a merge that failed has written, and what to do."""
    return (
        "nothing of this run is in the table, unless its commit came before the failure",
        f"Start the workflow again once the cause is gone; a batch that is in the table already changes "
        f"nothing: aws glue start-workflow-run --name {workflow} --run-properties "
        f'"$(aws glue get-workflow-run-properties --name {workflow} --run-id {run_id} '
        f'--query RunProperties --output json)"',
    )


def _after_maintenance(job: str) -> tuple[str, str]:
    return (
        "the tables hold the rows that they held; what was left undone, the next run does",
        "Until a run succeeds, rows stay in quarantine beyond their time and small files pile up. Once the "
        f"cause is gone, start one, or let the schedule do so: aws glue start-job-run --job-name {job}",
    )


def _tell_of_crawler(detail: Mapping[str, str], settings: LambdaSettings) -> None:
    """A warning: the batch is published, and nothing waits for the crawler.

    The event's own error message stays in Glue, where few may look: it can quote a file's name.
    """
    crawler = detail["crawlerName"]
    dataset = crawler.removeprefix(f"{settings.name_prefix}-").removesuffix("-raw")
    alert = compose(
        dataset,
        "warning",
        f"{dataset}: the crawler of the raw zone failed",
        {
            "Dataset": dataset,
            "Crawler": crawler,
            "Written": "the batch is in the table; its raw files are not described in the catalog yet",
            "Logs": detail["cloudWatchLogLink"],
        },
        "Nothing waits for it. Once the cause is gone (most often a permission that is missing), let the "
        f"next batch start it, or do so now: aws glue start-crawler --name {crawler}. Why it failed: "
        f"aws glue get-crawler --name {crawler} --query Crawler.LastCrawl",
    )
    publish_alert(settings.alert_topic_arn, alert)


def _is_reported(dataset: str, run_id: str, settings: LambdaSettings) -> bool:
    """Whether the gate ended on a verdict against the batch; its report is written after its alert."""
    try:
        report = json.loads(read_object(settings.docs_bucket, gate_report_key(dataset, run_id)))
    except ObjectMissing:
        return False
    return report["verdict"] in {"rejected", "error"}
