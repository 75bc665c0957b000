"""EventBridge: what matches, what arrives, and that no target can hurt the others."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from deployments import Deployer, until
from moto.events.models import EventPattern

from scripts.offline_aws.crawler import run_crawler
from scripts.offline_aws.events import target_input

EVENTS = {"Service": "events.amazonaws.com"}


def letting_in(rule_arn: str, action: str) -> str:
    """A resource policy that admits one rule."""
    statement = {
        "Effect": "Allow",
        "Principal": EVENTS,
        "Action": action,
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def deploy(client, bucket, role, name):
    return Deployer(client, bucket, role, name)


@pytest.fixture
def rule(client, name):
    """`rule(pattern)` is the ARN of a new rule."""

    def put(pattern: dict, **fields) -> str:
        asked = {"Name": name, "EventPattern": json.dumps(pattern), **fields}
        return client("events").put_rule(**asked)["RuleArn"]

    return put


def put_targets(client, name: str, *targets: dict) -> None:
    numbered = [{"Id": str(number), **target} for number, target in enumerate(targets)]
    assert client("events").put_targets(Rule=name, Targets=numbered)["FailedEntryCount"] == 0


def send(client, source: str, detail: dict, detail_type: str = "Test") -> str:
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}
    (sent,) = client("events").put_events(Entries=[entry])["Entries"]
    return sent["EventId"]


def listen(client, deploy, rule_arn: str, suffix: str = "queue", **target):
    """Add a queue as the rule's only target; answers what reads it."""
    url, arn = deploy.queue(suffix, Policy=letting_in(rule_arn, "sqs:SendMessage"))
    put_targets(client, deploy.name, {"Arn": arn, **target})
    return lambda: deploy.bodies(url)


def test_an_event_arrives_as_aws_shapes_it(client, deploy, rule):
    """ISO time, the id that PutEvents answered, the account and the region."""
    read = listen(client, deploy, rule({"source": [deploy.name]}))
    event_id = send(client, deploy.name, {"a": 1})
    (event,) = [json.loads(body) for body in until(read)]
    assert event.pop("time").endswith("Z")
    assert event == {
        "version": "0",
        "id": event_id,
        "detail-type": "Test",
        "source": deploy.name,
        "account": "123456789012",
        "region": "us-east-1",
        "resources": [],
        "detail": {"a": 1},
    }


def test_a_landed_object_is_an_event(client, deploy, rule):
    """S3's event names bucket, key, size, etag and version, and why it was made."""
    s3 = client("s3")
    s3.put_bucket_versioning(Bucket=deploy.bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket=deploy.bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    key_pattern = {"object": {"key": [{"prefix": "employee/"}]}, "bucket": {"name": [deploy.bucket]}}
    pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": key_pattern}
    read = listen(client, deploy, rule(pattern))
    s3.put_object(Bucket=deploy.bucket, Key="orders/a.csv", Body=b"other")
    put = s3.put_object(Bucket=deploy.bucket, Key="employee/dt=2026-01-01/a b.csv", Body=b"12345")
    (event,) = [json.loads(body) for body in until(read)]
    assert event["resources"] == [f"arn:aws:s3:::{deploy.bucket}"]
    detail = event["detail"]
    assert (detail["bucket"], detail["reason"]) == ({"name": deploy.bucket}, "PutObject")
    assert detail["object"].pop("sequencer")
    assert detail["object"] == {
        "key": "employee/dt=2026-01-01/a b.csv",
        "size": 5,
        "etag": put["ETag"].strip('"'),
        "version-id": put["VersionId"],
    }


def test_each_kind_of_target_gets_the_event(client, deploy, rule):
    """One rule: SQS, SNS, Lambda, a log group and a Glue workflow."""
    name = deploy.name
    rule_arn = rule({"source": [name]})
    url, queue_arn = deploy.queue("queue", Policy=letting_in(rule_arn, "sqs:SendMessage"))
    topic = client("sns").create_topic(Name=name, Attributes={"Policy": letting_in(rule_arn, "sns:Publish")})[
        "TopicArn"
    ]
    topic_url, topic_queue_arn = deploy.queue("topic-queue")
    client("sns").subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=topic_queue_arn,
        Attributes={"RawMessageDelivery": "true"},
    )
    source = f"""
        import boto3
        def handler(event, context):
            boto3.client("s3").put_object(Bucket="{deploy.bucket}", Key="got", Body=event["id"])
    """
    function = deploy.function("f", source)
    client("lambda").add_permission(
        FunctionName=function,
        StatementId="events",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule_arn,
    )
    client("logs").create_log_group(logGroupName=f"/events/{name}")
    client("glue").create_workflow(Name=name)
    action = {"JobName": deploy.job("job", "")}
    client("glue").create_trigger(Name=name, Type="EVENT", WorkflowName=name, Actions=[action])
    base = "us-east-1:123456789012"
    put_targets(
        client,
        name,
        {"Arn": queue_arn},
        {"Arn": topic},
        {"Arn": f"arn:aws:lambda:{base}:function:{function}"},
        {"Arn": f"arn:aws:logs:{base}:log-group:/events/{name}"},
        {"Arn": f"arn:aws:glue:{base}:workflow/{name}", "RoleArn": deploy.role_for("events")},
    )
    event_id = send(client, name, {})
    assert json.loads(until(lambda: deploy.bodies(url))[0])["id"] == event_id
    assert json.loads(until(lambda: deploy.bodies(topic_url))[0])["id"] == event_id
    (entry,) = client("logs").filter_log_events(logGroupName=f"/events/{name}")["events"]
    assert json.loads(entry["message"])["id"] == event_id
    until(lambda: client("s3").list_objects_v2(Bucket=deploy.bucket, Prefix="got").get("KeyCount"))
    assert client("s3").get_object(Bucket=deploy.bucket, Key="got")["Body"].read().decode() == event_id
    until(lambda: client("glue").get_workflow_runs(Name=name)["Runs"])


def test_a_target_that_cannot_be_reached_stops_no_other(client, deploy, rule):
    """Unknown services, missing resources and closed doors are passed over, the last target still gets it."""
    rule_arn = rule({"source": [deploy.name]})
    url, good = deploy.queue("good", Policy=letting_in(rule_arn, "sqs:SendMessage"))
    closed_url, closed = deploy.queue("closed")
    foreign_policy = letting_in(rule_arn + "-2", "sqs:SendMessage")
    foreign_url, foreign = deploy.queue("foreign", Policy=foreign_policy)
    base = "us-east-1:123456789012"
    put_targets(client, deploy.name, {"Arn": f"arn:aws:states:{base}:stateMachine:x"}, {"Arn": closed})
    client("events").put_targets(
        Rule=deploy.name,
        Targets=[
            {"Id": "a", "Arn": foreign},
            {"Id": "b", "Arn": f"arn:aws:sqs:{base}:missing"},
            {"Id": "c", "Arn": f"arn:aws:lambda:{base}:function:missing"},
            {"Id": "d", "Arn": good},
        ],
    )
    send(client, deploy.name, {})
    assert len(until(lambda: deploy.bodies(url))) == 1
    assert deploy.bodies(closed_url) == deploy.bodies(foreign_url) == []


def test_a_disabled_rule_sends_nothing(client, deploy, rule):
    """DisableRule silences the rule, EnableRule brings it back."""
    read = listen(client, deploy, rule({"source": [deploy.name]}))
    client("events").disable_rule(Name=deploy.name)
    send(client, deploy.name, {})
    assert read() == []
    client("events").enable_rule(Name=deploy.name)
    send(client, deploy.name, {})
    assert len(until(read)) == 1


def test_an_archive_and_another_bus_still_work(client, deploy, rule):
    """What moto delivered by itself is delivered as before."""
    bus = client("events").create_event_bus(Name=deploy.name)["EventBusArn"]
    client("events").create_archive(ArchiveName=deploy.name, EventSourceArn=bus)
    rule({"source": [deploy.name]})
    put_targets(client, deploy.name, {"Arn": bus, "RoleArn": deploy.role_for("events")})
    send(client, deploy.name, {"a": 1})
    assert client("events").describe_archive(ArchiveName=deploy.name)["EventCount"] == 1


EVENT = {
    "id": "e-1",
    "time": "2026-01-02T03:04:05Z",
    "source": "x",
    "detail": {"name": 'Zoë "Z"', "count": 3, "list": [{"k": 1}, 2], "none": None},
}


class FakeRule:
    arn = "arn:aws:events:us-east-1:123456789012:rule/r"
    name = "r"


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ({"Input": '{"a": 1}'}, '{"a": 1}'),
        ({"InputPath": "$.detail.count"}, "3"),
        ({"InputPath": "$.detail.list[0].k"}, "1"),
        ({"InputPath": "$.detail.missing"}, "null"),
        (
            {"InputTransformer": {"InputPathsMap": {"n": "$.detail.name"}, "InputTemplate": '{"who": <n>}'}},
            json.dumps({"who": 'Zoë "Z"'}),
        ),
        (
            {"InputTransformer": {"InputPathsMap": {"n": "$.detail.name"}, "InputTemplate": '"hi <n>!"'}},
            json.dumps('hi Zoë "Z"!'),
        ),
        (
            {"InputTransformer": {"InputPathsMap": {"c": "$.detail.count"}, "InputTemplate": '{"c": <c>}'}},
            '{"c": 3}',
        ),
        (
            {"InputTransformer": {"InputPathsMap": {"c": "$.detail.count"}, "InputTemplate": "n is <c>"}},
            "n is 3",
        ),
        (
            {"InputTransformer": {"InputTemplate": '{"rule": <aws.events.rule-name>, "x": <unknown>}'}},
            '{"rule": "r", "x": <unknown>}',
        ),
        ({"InputTransformer": {"InputTemplate": '{"e": <aws.events.event.json>}'}}, json.dumps({"e": EVENT})),
        ({}, json.dumps(EVENT)),
    ],
)
def test_a_targets_input_is_shaped_as_it_asks(target, text):
    """Constant, path and transformer; a value inside quotes is text, outside it keeps its type."""
    assert target_input(target, EVENT, FakeRule()) == text


@pytest.mark.parametrize(
    ("filters", "matching", "other"),
    [
        ([{"prefix": "employee/"}], ["employee/a", "employee/"], ["orders/a", "", None, 3]),
        ([{"suffix": ".csv"}], ["a.csv"], ["a.csv.gz", "csv"]),
        (
            [{"wildcard": "employee/*/a*.csv"}],
            ["employee/x/y/abc.csv"],
            ["employee/a.csv", "xemployee/1/a.csv"],
        ),
        ([{"anything-but": ["SUCCEEDED"]}], ["FAILED"], ["SUCCEEDED"]),
        ([{"anything-but": {"prefix": "tmp"}}], ["a"], ["tmp/a"]),
        ([{"anything-but": {"prefix": ["tmp", "_"]}}], ["a"], ["tmp/a", "_a"]),
        ([{"anything-but": {"suffix": ".tmp"}}], ["a.csv"], ["a.tmp"]),
        ([{"anything-but": {"wildcard": "*/_tmp/*"}}], ["a/b"], ["a/_tmp/b"]),
        ([{"numeric": [">", 0, "<=", 5]}], [1, 5, 0.5], [0, 5.1, "1", None]),
        ([{"numeric": ["=", 3]}], [3, 3.0], [4]),
        ([{"equals-ignore-case": "Alice"}], ["ALICE"], ["bob"]),
        (["a", {"prefix": "b"}], ["a", "bc"], ["ab"]),
        ([None], [None], ["", 0]),
        ([3], [3], ["3", 4]),
        ([True], [True], [False, "true"]),
        ([""], [""], [None]),
    ],
)
def test_patterns_match_as_eventbridge_does(filters, matching, other):
    """Each kind of filter, on values that it takes and values that it leaves."""
    pattern = EventPattern.load(json.dumps({"detail": {"field": filters}}))
    assert [v for v in matching if not pattern.matches_event({"detail": {"field": v}})] == []
    assert [v for v in other if pattern.matches_event({"detail": {"field": v}})] == []


def test_exists_looks_at_leaves():
    """exists: true wants the field, exists: false its absence; null is a value."""
    wanted = EventPattern.load('{"detail": {"a": [{"exists": true}], "b": [{"exists": false}]}}')
    assert wanted.matches_event({"detail": {"a": None}})
    assert not wanted.matches_event({"detail": {"a": 1, "b": 1}})
    assert not wanted.matches_event({"detail": {}})
    absent = EventPattern.load('{"detail": {"a": {"b": [{"exists": false}]}}}')
    assert absent.matches_event({"detail": {}})


def test_arrays_match_when_one_of_their_values_does():
    """The pattern's list and the event's intersect; $or is one of its branches."""
    pattern = EventPattern.load('{"resources": [{"prefix": "arn:aws:s3"}]}')
    assert pattern.matches_event({"resources": ["x", "arn:aws:s3:::b"]})
    assert not pattern.matches_event({"resources": ["x"]})
    either = EventPattern.load('{"$or": [{"source": ["a"]}, {"detail": {"n": [{"numeric": [">", 3]}]}}]}')
    assert either.matches_event({"source": "b", "detail": {"n": 4}})
    assert not either.matches_event({"source": "b", "detail": {"n": 3}})


def test_what_cannot_be_delivered_is_kept(client, deploy, rule):
    """What a target that is gone, or shut to the rule, should have got waits in its dead letter queue."""
    rule_arn = rule({"source": [deploy.name]})
    url, kept = deploy.queue("dlq", Policy=letting_in(rule_arn, "sqs:SendMessage"))
    _, shut = deploy.queue("shut")
    dead = {"DeadLetterConfig": {"Arn": kept}}
    put_targets(client, deploy.name, {"Arn": kept.replace("dlq", "gone"), **dead}, {"Arn": shut, **dead})
    event_id = send(client, deploy.name, {"n": 1})
    found = client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )["Messages"]

    assert [json.loads(message["Body"])["id"] for message in found] == [event_id, event_id]
    told = [message["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"] for message in found]
    assert sorted(told) == [
        "its resource policy does not let this rule in",
        "the queue does not exist",
    ]
    assert found[0]["MessageAttributes"]["RULE_ARN"]["StringValue"] == rule_arn


def test_a_replay_brings_back_what_was_asked_for(client, deploy, rule):
    """Events of the time asked for come again, marked, to the rules asked for and to no archive."""
    rule_arn = rule({"source": [deploy.name]})
    read = listen(client, deploy, rule_arn)
    events, pattern = client("events"), json.dumps({"source": [deploy.name]})
    bus = f"{rule_arn.partition(':rule/')[0]}:event-bus/default"
    archive = events.create_archive(ArchiveName=deploy.name, EventSourceArn=bus, EventPattern=pattern)
    send(client, deploy.name, {"n": 1})
    (first,) = map(json.loads, read())
    now = datetime.now(UTC)

    def replayed(name: str, begin: timedelta, end: timedelta, *rules: str) -> list[dict]:
        events.start_replay(
            ReplayName=f"{deploy.name}-{name}",
            EventSourceArn=archive["ArchiveArn"],
            EventStartTime=now + begin,
            EventEndTime=now + end,
            Destination={"Arn": bus, **({"FilterArns": list(rules)} if rules else {})},
        )
        assert events.describe_replay(ReplayName=f"{deploy.name}-{name}")["State"] == "COMPLETED"
        return [json.loads(body) for body in read()]

    hour, minute = timedelta(hours=1), timedelta(minutes=1)
    assert replayed("before", -2 * hour, -hour) == []
    assert replayed("elsewhere", -hour, minute, f"{rule_arn}-other") == []
    (again,) = replayed("again", -hour, minute, rule_arn)
    assert again.pop("replay-name") == f"{deploy.name}-again"
    assert again.pop("id") != first.pop("id")
    assert again == first
    assert events.describe_archive(ArchiveName=deploy.name)["EventCount"] == 1


def test_a_crawl_that_failed_says_why(client, deploy, rule, bucket, database, name, offline_aws):
    """Of each crawl Glue tells that it began and how it ended; of one that failed, the reason."""
    pattern = {"detail-type": ["Glue Crawler State Change"], "detail": {"crawlerName": [name]}}
    read = listen(client, deploy, rule(pattern))
    targets = {"S3Targets": [{"Path": f"s3://{bucket}/employee/"}]}
    client("glue").create_crawler(Name=name, Role="nobody", DatabaseName=database, Targets=targets)
    run_crawler(offline_aws.state.account_id, offline_aws.state.region, name)
    began, ended = (json.loads(body)["detail"] for body in read())

    assert (began["state"], ended["state"]) == ("Started", "Failed")
    assert "errorMessage" not in began
    assert ended["errorMessage"] == "Service is unable to assume provided role nobody."
