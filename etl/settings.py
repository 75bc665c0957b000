"""Job arguments and environment → Settings, read once."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from etl.errors import ArgumentsInvalid
from etl.operations.retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a run reads and writes. Terraform passes each of these as a job argument of the same name.

    The maintenance job runs outside of a workflow: its `workflow_name` is empty, and `run_id` its own.
    """

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
    runbooks_url: str
    workflow_name: str
    run_id: str
    endpoint_url: str | None


_GIVEN = tuple(f.name for f in fields(Settings) if f.name not in {"workflow_name", "run_id", "endpoint_url"})
# Glue's own names for what tells runs apart: a workflow gives the first two, and every job run has the last.
_OF_WORKFLOW = {"workflow_name": "WORKFLOW_NAME", "run_id": "WORKFLOW_RUN_ID"}
_OF_JOB = {"run_id": "JOB_RUN_ID"}
JOB_ARGUMENTS = (*_GIVEN, *_OF_WORKFLOW.values())
MAINTENANCE_ARGUMENTS = _GIVEN  # Glue gives its own unasked, and asking for them is an error


def from_job_arguments(arguments: Mapping[str, str]) -> Settings:
    """`arguments` is what getResolvedOptions returned for JOB_ARGUMENTS. Raises ArgumentsInvalid."""
    return Settings(**_values(arguments, _OF_WORKFLOW), endpoint_url=_endpoint_url())


def from_maintenance_arguments(arguments: Mapping[str, str]) -> Settings:
    """`arguments` is what getResolvedOptions returned for MAINTENANCE_ARGUMENTS. Raises ArgumentsInvalid."""
    return Settings(**_values(arguments, _OF_JOB), workflow_name="", endpoint_url=_endpoint_url())


def _values(arguments: Mapping[str, str], own_names: Mapping[str, str]) -> dict[str, str]:
    names = {name: name for name in _GIVEN} | own_names
    values = {name: arguments.get(argument) or "" for name, argument in names.items()}
    if missing := [name for name, value in values.items() if not value]:
        raise ArgumentsInvalid(f"job arguments without a value: {', '.join(missing)}")
    return values


def _endpoint_url() -> str | None:
    """The AWS SDKs' own variable; boto3 reads it by itself, Arrow's S3 client does not."""
    return os.environ.get("AWS_ENDPOINT_URL") or None


@dataclass(frozen=True, slots=True)
class LambdaSettings:
    """What the Lambdas are told through their environment."""

    name_prefix: str
    raw_bucket: str
    docs_bucket: str
    alert_topic_arn: str
    runbooks_url: str
    datasets: frozenset[str]

    def workflow_name(self, dataset: str) -> str:
        return f"{self.name_prefix}-{dataset}"

    def dataset_and_step(self, job_name: str) -> tuple[str, str]:
        """What the job is for, by its name."""
        dataset, _, step = job_name.removeprefix(f"{self.name_prefix}-").rpartition("-")
        return dataset, step

    @property
    def environment(self) -> str:
        return self.name_prefix.rpartition("-")[2]


@dataclass(frozen=True, slots=True)
class FailureSettings(LambdaSettings):
    """What those that see to failures are told beside."""

    metrics_namespace: str
    retry_queue_name: str
    retries: RetryPolicy


def from_environment() -> LambdaSettings:
    """Raises KeyError naming the variable that is not set: the deployment is wrong then."""
    return LambdaSettings(**_of_every_lambda())


def failure_settings() -> FailureSettings:
    """Raises KeyError as from_environment does."""
    return FailureSettings(
        **_of_every_lambda(),
        metrics_namespace=os.environ["METRICS_NAMESPACE"],
        retry_queue_name=os.environ["RETRY_QUEUE_NAME"],
        retries=retry_policy(os.environ),
    )


def retry_policy(told: Mapping[str, str]) -> RetryPolicy:
    """Of those that see to failures, by the environment that they are told."""
    return RetryPolicy(
        attempts=int(told["RETRY_ATTEMPTS"]),
        base_seconds=int(told["RETRY_BASE_SECONDS"]),
        factor=float(told["RETRY_FACTOR"]),
        jitter_percent=int(told["RETRY_JITTER_PERCENT"]),
    )


def _of_every_lambda() -> dict[str, Any]:
    return {
        "name_prefix": os.environ["NAME_PREFIX"],
        "raw_bucket": os.environ["RAW_BUCKET"],
        "docs_bucket": os.environ["DOCS_BUCKET"],
        "alert_topic_arn": os.environ["ALERT_TOPIC_ARN"],
        "runbooks_url": os.environ["RUNBOOKS_URL"],
        "datasets": frozenset(os.environ["DATASETS"].split(",")),
    }


@dataclass(frozen=True, slots=True)
class Promise:
    """What the contract promises of a dataset; Terraform passes it on."""

    freshness_hours: float
    availability_percent: float


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """What the probe of freshness is told through its environment; `promises` is by dataset."""

    raw_bucket: str
    docs_bucket: str
    metrics_namespace: str
    promises: Mapping[str, Promise]


def from_probe_environment() -> ProbeSettings:
    """Raises KeyError naming the variable that is not set: the deployment is wrong then."""
    promises = json.loads(os.environ["PROMISES"])
    return ProbeSettings(
        raw_bucket=os.environ["RAW_BUCKET"],
        docs_bucket=os.environ["DOCS_BUCKET"],
        metrics_namespace=os.environ["METRICS_NAMESPACE"],
        promises={dataset: Promise(**promise) for dataset, promise in promises.items()},
    )
