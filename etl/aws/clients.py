"""boto3 clients."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=5, read_timeout=15)
ONCE = PATIENT.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))


@cache
def client(service: str) -> Any:
    """One client per service and process; region, credentials and endpoint come from the environment."""
    return boto3.client(service, config=PATIENT)


def explain(error: Exception) -> str:
    """The kind of an error, and of AWS's refusals the code and the operation.

    Messages may quote a row's values; AWS's own name the object, and so the file, that was asked for, as do
    botocore's that were made with a URL or a parameter. Only what is the same text whatever happens is told.
    """
    name = type(error).__name__
    if isinstance(error, ClientError):
        return f"{name}: {error.response.get('Error', {}).get('Code')} in {error.operation_name}"
    if isinstance(error, BotoCoreError) and not error.kwargs:
        return f"{name}: {error}"
    return name
