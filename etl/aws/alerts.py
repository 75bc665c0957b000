"""Alerts, to the SNS topic, by way of an outbox in the docs bucket.

    operations/alerts/waiting/<dataset>/<kind>/<scope>.json   written first, deleted once SNS has it
    operations/alerts/told/<dataset>/<kind>/<scope>.json      written once SNS has it
    operations/alerts/rates/<dataset>/<kind>.json             how many were sent in this hour

So an alert is sent at least once, also if SNS is down for a while, and twice only if whoever sends it is
killed between SNS's answer and the note of it. SNS's failures fail no run.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from etl.alert import Alert
from etl.aws.clients import client, explain
from etl.aws.object_store import (
    has_object,
    list_objects,
    put_if_absent,
    read_object,
    update_json,
    write_object,
)
from etl.errors import ObjectMissing

logger = logging.getLogger(__name__)

MOST_PER_HOUR = 10  # of one kind for one dataset
_FOLDER = "operations/alerts"
# Whoever wrote a waiting alert sends it at once; after this long it did not, or could not.
_LEFT_BEHIND = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Outbox:
    topic_arn: str
    docs_bucket: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def send(self, alert: Alert) -> None:
        """Send it, unless it was sent before, or somebody is at it; what SNS does not take now, waits."""
        name = f"{alert.dataset}/{alert.kind}/{alert.scope}.json"
        if has_object(self.docs_bucket, f"{_FOLDER}/told/{name}"):
            return
        if put_if_absent(self.docs_bucket, f"{_FOLDER}/waiting/{name}", alert.to_json()):
            self._try(name, alert)

    def send_waiting(self, dataset: str = "") -> int:
        """Send what was left behind, of one dataset or of all, oldest first; return how many still wait."""
        folder = f"{_FOLDER}/waiting/{dataset}/" if dataset else f"{_FOLDER}/waiting/"
        waiting = sorted(list_objects(self.docs_bucket, folder), key=lambda found: found[1])
        left = [key for key, written_at in waiting if written_at <= self.now() - _LEFT_BEHIND]
        return sum(not self._try_again(key.removeprefix(f"{_FOLDER}/waiting/")) for key in left)

    def _try_again(self, name: str) -> bool:
        try:
            alert = Alert.from_json(read_object(self.docs_bucket, f"{_FOLDER}/waiting/{name}"))
        except ObjectMissing:
            return True  # somebody else sent it
        if has_object(self.docs_bucket, f"{_FOLDER}/told/{name}"):
            self._forget(name)
            return True
        return self._try(name, alert)

    def _try(self, name: str, alert: Alert) -> bool:
        """Whether it waits no longer."""
        held = self._take_turn(alert)
        if held is not None:
            try:
                _publish(self.topic_arn, alert, held)
            except (BotoCoreError, ClientError) as error:
                logger.error("SNS did not take the alert %s, which waits: %s", name, explain(error))
                return False
        note = {"at": self.now().isoformat(timespec="seconds"), "is_held_back": held is None}
        write_object(
            self.docs_bucket, f"{_FOLDER}/told/{name}", json.dumps(note).encode(), "application/json"
        )
        self._forget(name)
        return True

    def _forget(self, name: str) -> None:
        client("s3").delete_object(Bucket=self.docs_bucket, Key=f"{_FOLDER}/waiting/{name}")

    def _take_turn(self, alert: Alert) -> int | None:
        """How many of the kind were held back since one was sent; None when this one has to be, too."""
        hour = self.now().strftime("%Y-%m-%dT%H")
        held: int | None = None

        def count(rate: Mapping[str, Any] | None) -> dict[str, Any]:
            nonlocal held
            known = rate or {"hour": hour, "sent": 0, "held": 0}
            sent = known["sent"] if known["hour"] == hour else 0
            if sent >= MOST_PER_HOUR:
                held = None
                return {"hour": hour, "sent": sent, "held": known["held"] + 1}
            held = known["held"]
            return {"hour": hour, "sent": sent + 1, "held": 0}

        update_json(self.docs_bucket, f"{_FOLDER}/rates/{alert.dataset}/{alert.kind}.json", count)
        return held


def _publish(topic_arn: str, alert: Alert, held: int) -> None:
    """As text to people, as JSON to programs; the attributes are for filters."""
    text = alert.text
    if held:
        text += f"\n{held} more messages of this kind about {alert.dataset} were held back before this one.\n"
    for_machines = json.dumps(alert.for_machines())
    bodies = {"default": text, "https": for_machines, "lambda": for_machines, "sqs": for_machines}
    client("sns").publish(
        TopicArn=topic_arn,
        Subject=alert.subject,
        Message=json.dumps(bodies),
        MessageStructure="json",
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in alert.attributes.items()
        },
    )
