"""What SQS hands to a Lambda: one message after the other, each failing for itself."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

logger = logging.getLogger(__name__)


class NotNow(Exception):
    """The message has to come again, and nothing is wrong; the text says why."""


def handle_each(event: Mapping[str, Any], handle: Callable[[Any], None]) -> dict[str, Any]:
    """Hand the JSON of each message to `handle`, and tell SQS which of them have to come again.

    SQS brings those again, and parks them in the dead letter queue in the end.
    """
    failed = []
    for record in event["Records"]:
        try:
            handle(json.loads(record["body"]))
        except NotNow as reason:
            logger.info("message %s will be tried again: %s", record["messageId"], reason)
            failed.append({"itemIdentifier": record["messageId"]})
        except Exception:
            logger.exception("message %s will be tried again", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
