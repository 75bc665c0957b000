"""A file landed, or the night has come: start the dataset's Glue workflow."""

import logging
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from etl.alert import AlertKind, compose
from etl.aws.alerts import Outbox
from etl.aws.object_store import has_object, list_versions
from etl.aws.workflow import start_run
from etl.batch import Batch, MergeMode, is_raw_key, parse_raw_key, raw_folder, to_run_properties
from etl.errors import RawKeyInvalid
from etl.lambdas.messages import handle_each
from etl.run_files import batch_key
from etl.settings import LambdaSettings, from_environment

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """SQS hands over S3's "Object Created" events; the scheduler names a dataset.

    A message whose run cannot be started now (the workflow is at its limit, Glue is throttling) is returned
    as failed, so that SQS brings it again and parks it in the dead letter queue in the end.
    """
    settings = from_environment()
    if "Records" not in event:
        return {"started": _start_nightly(event["dataset"], settings)}
    return handle_each(event, lambda message: _start_landed(message, settings))


def _start_landed(event: Mapping[str, Any], settings: LambdaSettings) -> None:
    landed = event["detail"]["object"]
    landed_at = datetime.fromisoformat(event["time"])
    if landed["key"].endswith("/"):
        return  # the marker of a folder that somebody made in the console
    try:
        dataset, batch_date = parse_raw_key(landed["key"])
        _check(landed["key"], dataset, batch_date, landed_at.date(), settings)
    except RawKeyInvalid as error:
        _refuse(error, landed["version-id"], settings)
        return
    batch = Batch(
        dataset=dataset,
        batch_date=batch_date,
        bucket=event["detail"]["bucket"]["name"],
        key=landed["key"],
        version_id=landed["version-id"],
        etag=landed["etag"],
        size_bytes=int(landed["size"]),
        landed_at=landed_at,
    )
    _start(batch, "landed", settings)


def _check(key: str, dataset: str, batch_date: date, landed_on: date, settings: LambdaSettings) -> None:
    if dataset not in settings.datasets:
        raise RawKeyInvalid(key, "its first folder is no dataset")
    # Its rows would be newer than those of every day until then, and keep them out.
    if batch_date > landed_on + timedelta(days=1):
        raise RawKeyInvalid(key, "the date lies in the future")


def _start_nightly(dataset: str, settings: LambdaSettings) -> list[str]:
    """Start a run for each file of yesterday and today that no gate has judged: its event was lost."""
    today = datetime.now(UTC).date()
    batches = [
        Batch(dataset, day, settings.raw_bucket, **version)
        for day in (today - timedelta(days=1), today)
        for version in list_versions(settings.raw_bucket, raw_folder(dataset, day))
        if is_raw_key(version["key"])  # people were told of any other when it landed
    ]
    return [
        _start(batch, "nightly", settings)
        for batch in batches
        if not has_object(settings.docs_bucket, batch_key(dataset, batch.batch_id))
    ]


def _start(batch: Batch, trigger: str, settings: LambdaSettings) -> str:
    name = settings.workflow_name(batch.dataset)
    run_id = start_run(name, to_run_properties(batch, MergeMode.UPSERT, trigger))
    logger.info("started %s run %s for batch %s", name, run_id, batch.batch_id)
    return run_id


def _refuse(error: RawKeyInvalid, version_id: str, settings: LambdaSettings) -> None:
    """A key that says nothing stays wrong however often it is tried, so people are told at once.

    They are told the version id: who may see the raw zone finds the file by it. Its key may name somebody.
    """
    logger.error("no run was started for version %s: %s", version_id, error)
    alert = compose(
        dataset="unknown",
        kind=AlertKind.FILE_NOT_TAKEN,
        severity="warning",
        scope=version_id,
        headline="A file landed that no dataset can take",
        facts={
            "File": f"version {version_id} in s3://{settings.raw_bucket}",
            "Problem": str(error),
            "Written": "nothing: it was left where it is and not read",
        },
        next_step="Upload it again under the right key. Its name is not shown, since it may name somebody; "
        f"this tells it: aws s3api list-object-versions --bucket {settings.raw_bucket} "
        f"--query \"Versions[?VersionId=='{version_id}'].Key\"",
        runbooks_url=settings.runbooks_url,
    )
    Outbox(settings.alert_topic_arn, settings.docs_bucket).send(alert)
