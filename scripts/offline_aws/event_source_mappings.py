"""SQS event source mappings: a poller for each, as Lambda runs one, instead of moto's call while sending."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

from moto.awslambda.models import EventSourceMapping, LambdaBackend, LambdaFunction
from moto.events.models import EventPattern
from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from scripts.offline_aws.lambda_runtime import Invocation, LambdaRuntime
from scripts.offline_aws.state import ServerState

log = logging.getLogger("offline_aws.event_source_mappings")

LONGEST_SLEEP_SECONDS = 0.5
"""A message that becomes visible again is seen after this long at most; a new one wakes the poller."""


class Poller:
    """Reads one queue for one function, one batch at a time, until the mapping is deleted."""

    def __init__(self, runtime: LambdaRuntime, backend: LambdaBackend, mapping: EventSourceMapping) -> None:
        self.runtime = runtime
        self.backend = backend
        self.mapping = mapping
        self.sqs: SQSBackend = sqs_backends[mapping.account_id][mapping.region]
        self.queue_name = mapping.event_source_arn.rsplit(":", 1)[-1]

    def start(self) -> None:
        threading.Thread(target=self._poll, name=f"poll-{self.queue_name}"[:15], daemon=True).start()

    def _poll(self) -> None:
        while self.backend.get_event_source_mapping(self.mapping.uuid) is self.mapping:
            queue = self.sqs.queues.get(self.queue_name)
            if queue is None or not self.mapping.enabled:
                threading.Event().wait(LONGEST_SLEEP_SECONDS)
                continue
            try:
                if not self._handle_batch(queue):
                    queue.wait_for_messages(LONGEST_SLEEP_SECONDS)
            except Exception:
                log.exception("mapping of %s", self.queue_name)
                threading.Event().wait(LONGEST_SLEEP_SECONDS)

    def _handle_batch(self, queue: Queue) -> bool:
        """False when there was nothing to read."""
        messages = self.sqs.receive_message(
            self.queue_name,
            self.mapping.batch_size,
            wait_seconds_timeout=0,
            visibility_timeout=int(queue.visibility_timeout),
            message_attribute_names=["All"],
        )
        records = {message.id: _record(message, self.mapping) for message in messages}
        refused = {name for name, record in records.items() if not self._passes_filter(record)}
        batch = [message for message in messages if message.id not in refused]
        failed: set[str] = set()
        if batch:
            function = self.backend.get_function_by_arn(self.mapping.function_arn)
            failed = self._invoke(function, batch, records)
        for message in messages:
            if message.id not in failed:
                self._delete(message)
        return bool(messages)

    def _invoke(
        self, function: LambdaFunction | None, batch: list[Message], records: dict[str, dict[str, Any]]
    ) -> set[str]:
        """The ids of the messages that stay in the queue, to be seen again after the visibility timeout."""
        everything = {message.id for message in batch}
        if function is None:
            return everything
        ended = self.runtime.invoke(function, {"Records": [records[message.id] for message in batch]})
        if ended.failed:
            return everything
        if "ReportBatchItemFailures" not in (self.mapping.function_response_types or []):
            return set()
        reported = set(_reported_failures(ended))
        return reported if reported <= everything else everything

    def _delete(self, message: Message) -> None:
        try:
            self.sqs.delete_message(self.queue_name, message.receipt_handle or "")
        except ReceiptHandleIsInvalid:
            log.warning("%s was gone from %s before it was deleted", message.id, self.queue_name)

    def _passes_filter(self, record: dict[str, Any]) -> bool:
        """A message that no filter lets pass is deleted unseen, as Lambda does."""
        filters = (self.mapping.filter_criteria or {}).get("Filters", [])
        if not filters:
            return True
        seen = dict(record)
        try:
            seen["body"] = json.loads(record["body"])
        except ValueError:
            seen["body"] = record["body"]
        return any(EventPattern.load(given["Pattern"]).matches_event(seen) for given in filters)


def _reported_failures(ended: Invocation) -> Iterator[str]:
    """Ids the handler names; an answer that is not what Lambda expects fails the batch, by an unknown id."""
    answer = json.loads(ended.payload)
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else answer
    for failure in failures or []:
        yield (failure.get("itemIdentifier") or "") if isinstance(failure, dict) else ""


def _record(message: Message, mapping: EventSourceMapping) -> dict[str, Any]:
    attributes = {
        "ApproximateReceiveCount": str(message.approximate_receive_count),
        "SentTimestamp": str(message.sent_timestamp),
        "SenderId": message.sender_id,
        "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
    }
    if mapping.event_source_arn.endswith(".fifo"):
        attributes["MessageGroupId"] = message.group_id
        attributes["MessageDeduplicationId"] = message.deduplication_id
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": {
            name: {
                "stringValue": value.get("StringValue"),
                "binaryValue": value.get("BinaryValue"),
                "dataType": value.get("DataType"),
            }
            for name, value in message.message_attributes.items()
        },
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping.event_source_arn,
        "awsRegion": mapping.region,
    }


_create_in_moto = LambdaBackend.create_event_source_mapping


def install(state: ServerState, runtime: LambdaRuntime) -> None:
    def create(self: LambdaBackend, spec: dict[str, Any]) -> EventSourceMapping:
        mapping = _create_in_moto(self, spec)
        if ":sqs:" in mapping.event_source_arn:
            for queue in sqs_backends[mapping.account_id][mapping.region].queues.values():
                queue.lambda_event_source_mappings.clear()  # or moto would invoke in the sender's request
            Poller(runtime, self, mapping).start()
        return mapping

    LambdaBackend.create_event_source_mapping = create
