"""Job arguments and environment → Settings, read once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from etl.errors import ArgumentsInvalid


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a run reads and writes. Terraform passes each of these as a job argument of the same name."""

    dataset: str
    environment: str
    expectations_uri: str
    processed_bucket: str
    quarantine_bucket: str
    docs_bucket: str
    processed_database: str
    quarantine_database: str
    alert_topic_arn: str
    metrics_namespace: str
    workflow_name: str
    run_id: str
    endpoint_url: str | None


# Glue's own names for the two that a workflow adds.
_GLUE_NAMES = {"workflow_name": "WORKFLOW_NAME", "run_id": "WORKFLOW_RUN_ID"}
JOB_ARGUMENTS = tuple(_GLUE_NAMES.get(f.name, f.name) for f in fields(Settings) if f.name != "endpoint_url")


def from_job_arguments(arguments: Mapping[str, str]) -> Settings:
    """`arguments` is what getResolvedOptions returned for JOB_ARGUMENTS.

    AWS_ENDPOINT_URL is the AWS SDKs' own variable; boto3 reads it by itself, Arrow's S3 client does not.
    Raises ArgumentsInvalid.
    """
    values = {
        f.name: arguments.get(_GLUE_NAMES.get(f.name, f.name), "")
        for f in fields(Settings)
        if f.name != "endpoint_url"
    }
    if missing := [name for name, value in values.items() if not value]:
        raise ArgumentsInvalid(f"job arguments without a value: {', '.join(missing)}")
    return Settings(**values, endpoint_url=os.environ.get("AWS_ENDPOINT_URL") or None)


@dataclass(frozen=True, slots=True)
class LambdaSettings:
    """What the Lambdas are told through their environment."""

    name_prefix: str
    raw_bucket: str
    docs_bucket: str
    alert_topic_arn: str
    datasets: frozenset[str]

    def workflow_name(self, dataset: str) -> str:
        return f"{self.name_prefix}-{dataset}"


def from_environment() -> LambdaSettings:
    """Raises KeyError naming the variable that is not set: the deployment is wrong then."""
    return LambdaSettings(
        name_prefix=os.environ["NAME_PREFIX"],
        raw_bucket=os.environ["RAW_BUCKET"],
        docs_bucket=os.environ["DOCS_BUCKET"],
        alert_topic_arn=os.environ["ALERT_TOPIC_ARN"],
        datasets=frozenset(os.environ.get("DATASETS", "").split(",")),  # only start_workflow is told
    )
