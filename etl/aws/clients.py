"""boto3 clients."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

_PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=5, read_timeout=15)


@cache
def client(service: str) -> Any:
    """One client per service and process; region, credentials and endpoint come from the environment."""
    return boto3.client(service, config=_PATIENT)


def explain(error: Exception) -> str:
    """The kind of an error, with its message only where AWS wrote it: any other may quote a row's values.

    Of botocore's own, the complaint about a parameter quotes what it was given.
    """
    if isinstance(error, ClientError | BotoCoreError) and not isinstance(error, ParamValidationError):
        return f"{type(error).__name__}: {error}"
    return type(error).__name__
