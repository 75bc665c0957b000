"""SQS event source mappings poll, delete what was handled, and leave the rest to the queue's redrive."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from botocore.exceptions import ClientError
from deployments import Deployer, until

from scripts.offline_aws import event_source_mappings

pytestmark = pytest.mark.slow

# Keeps each event in the bucket, then fails as the message bodies say.
SOURCE = """
    import boto3, json
    def handler(event, context):
        key = f"events/{context.aws_request_id}"
        boto3.client("s3").put_object(Bucket="BUCKET", Key=key, Body=json.dumps(event))
        bodies = {record["messageId"]: record["body"] for record in event["Records"]}
        if "raise" in bodies.values():
            raise ValueError("raise")
        if "bad answer" in bodies.values():
            return {"batchItemFailures": [{"itemIdentifier": "unknown"}]}
        failed = [name for name, body in bodies.items() if body == "fail"]
        return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}
"""


@pytest.fixture
def deploy(client, bucket, role, name):
    return Deployer(client, bucket, role, name)


@pytest.fixture
def mapped(client, deploy):
    """`mapped(...)` maps a queue, with a DLQ after two receives, to a function; answers both URLs."""
    made = []

    def create(**fields) -> tuple[str, str]:
        dead_url, dead_arn = deploy.queue("dlq")
        redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
        url, arn = deploy.queue("queue", VisibilityTimeout="1", RedrivePolicy=redrive)
        function = deploy.function("f", SOURCE.replace("BUCKET", deploy.bucket))
        mapping = client("lambda").create_event_source_mapping(
            **{"FunctionName": function, "EventSourceArn": arn, "BatchSize": 10, **fields}
        )
        made.append(mapping["UUID"])
        return url, dead_url

    yield create
    for identifier in made:
        with contextlib.suppress(ClientError):  # the test has deleted it
            client("lambda").delete_event_source_mapping(UUID=identifier)


@pytest.fixture
def handled(client, deploy):
    """The records of every invocation so far."""

    def read() -> list[list[dict]]:
        s3 = client("s3")
        keys = s3.list_objects_v2(Bucket=deploy.bucket, Prefix="events/").get("Contents", [])
        found = (s3.get_object(Bucket=deploy.bucket, Key=key["Key"])["Body"].read() for key in keys)
        return [json.loads(body)["Records"] for body in found]

    return read


def send(client, url: str, *bodies: str) -> None:
    entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
    client("sqs").send_message_batch(QueueUrl=url, Entries=entries)


def counts(client, url: str) -> tuple[int, int]:
    """Messages that can be seen, and messages in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return tuple(int(found[name]) for name in names)


def test_a_handled_message_is_deleted(client, mapped, handled):
    """The record has the body, its attributes and where it came from."""
    url, dead_url = mapped()
    message = client("sqs").send_message(
        QueueUrl=url,
        MessageBody="Zoë",
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "test"}},
    )
    ((record,),) = until(handled)
    assert (record["messageId"], record["body"]) == (message["MessageId"], "Zoë")
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"].endswith("-queue")
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["kind"]["stringValue"] == "test"
    assert record["md5OfBody"] == message["MD5OfMessageBody"]
    until(lambda: counts(client, url) == (0, 0))
    assert counts(client, dead_url) == (0, 0)


def test_a_failed_batch_comes_back_until_the_dead_letter_queue(client, mapped, handled):
    """An exception leaves the message; it is seen again after its visibility timeout, at most as often as
    the redrive policy says."""
    url, dead_url = mapped()
    send(client, url, "raise")
    until(lambda: counts(client, dead_url)[0] == 1)
    assert counts(client, url) == (0, 0)
    received = sorted(record["attributes"]["ApproximateReceiveCount"] for (record,) in handled())
    assert received == ["1", "2"]


def test_only_the_reported_messages_come_back(client, mapped, handled):
    """With ReportBatchItemFailures, the rest of the batch is deleted."""
    url, dead_url = mapped(FunctionResponseTypes=["ReportBatchItemFailures"])
    send(client, url, "good", "fail", "fine")
    until(lambda: counts(client, dead_url)[0] == 1)
    assert counts(client, url) == (0, 0)
    bodies = [record["body"] for batch in handled() for record in batch]
    assert (bodies.count("good"), bodies.count("fine"), bodies.count("fail")) == (1, 1, 2)


def test_without_the_setting_an_answer_is_not_read(client, mapped, handled):
    """batchItemFailures mean nothing unless the mapping asks for them."""
    url, dead_url = mapped()
    send(client, url, "fail")
    until(handled)
    until(lambda: counts(client, url) == (0, 0))
    assert counts(client, dead_url) == (0, 0)


def test_an_answer_that_names_an_unknown_message_fails_the_batch(client, mapped, handled):
    """As Lambda treats it: the whole batch comes back."""
    url, dead_url = mapped(FunctionResponseTypes=["ReportBatchItemFailures"])
    send(client, url, "bad answer")
    until(lambda: counts(client, dead_url)[0] == 1)
    assert len(handled()) == 2


def test_batches_are_no_larger_than_the_batch_size(client, mapped, handled):
    """Five messages with a batch size of two are at least three invocations."""
    url, _ = mapped(BatchSize=2)
    send(client, url, *"12345")
    until(lambda: counts(client, url) == (0, 0) and sum(map(len, handled())) == 5)
    assert max(map(len, handled())) <= 2


def test_a_filter_keeps_messages_from_the_function(client, mapped, handled):
    """What no filter lets pass is deleted unseen."""
    pattern = json.dumps({"body": {"kind": ["wanted"]}})
    url, dead_url = mapped(FilterCriteria={"Filters": [{"Pattern": pattern}]})
    send(client, url, json.dumps({"kind": "other"}), json.dumps({"kind": "wanted"}), "no JSON")
    until(lambda: counts(client, url) == (0, 0) and handled())
    assert [json.loads(record["body"])["kind"] for batch in handled() for record in batch] == ["wanted"]
    assert counts(client, dead_url) == (0, 0)


def test_a_mapping_that_is_off_or_gone_reads_nothing(client, deploy, mapped, handled):
    """Messages wait while the mapping is disabled, and stay when it is deleted."""
    url, _ = mapped(Enabled=False)
    send(client, url, "1")
    function = f"{deploy.name}-f"
    (mapping,) = client("lambda").list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    assert mapping["State"] == "Disabled"
    assert counts(client, url) == (1, 0)
    client("lambda").update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    until(handled)
    client("lambda").delete_event_source_mapping(UUID=mapping["UUID"])
    until(lambda: counts(client, url) == (0, 0))
    send(client, url, "2")
    time.sleep(event_source_mappings.LONGEST_SLEEP_SECONDS * 1.5)
    assert counts(client, url) == (1, 0)
    assert len(handled()) == 1
