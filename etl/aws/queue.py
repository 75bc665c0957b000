"""Messages for later, in SQS."""

import json
from collections.abc import Mapping
from functools import cache

from etl.aws.clients import client


def send_later(queue_name: str, body: Mapping[str, str], seconds: int) -> None:
    """Nobody sees the message for so many seconds; SQS takes up to 900."""
    client("sqs").send_message(QueueUrl=_url(queue_name), MessageBody=json.dumps(body), DelaySeconds=seconds)


@cache
def _url(queue_name: str) -> str:
    return client("sqs").get_queue_url(QueueName=queue_name)["QueueUrl"]
