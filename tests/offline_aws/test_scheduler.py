"""Schedules fire when they are asked to."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import datetime

import pytest
from deployments import Deployer, until

from scripts.offline_aws.scheduler import Clock


@pytest.fixture
def deploy(client, bucket, role, name):
    return Deployer(client, bucket, role, name)


@pytest.fixture
def fire(offline_aws):
    """The answer's status and document."""

    def post(group: str, name: str, method: str = "POST"):
        url = f"{offline_aws.state.endpoint}/lakegate-offline/schedules/{group}/{name}/fire"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method=method)) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    return post


def schedule(client, deploy, target: str, expression: str = "cron(0 3 * * ? *)", **fields) -> None:
    client("scheduler").create_schedule(
        Name=deploy.name,
        GroupName="default",
        ScheduleExpression=expression,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": target, "RoleArn": deploy.role_for("scheduler"), **fields},
    )


def test_firing_a_schedule_invokes_its_function_with_its_input(client, deploy, fire):
    """The function gets the input, with the scheduler's own attributes filled in."""
    source = f"""
        import boto3, json
        def handler(event, context):
            boto3.client("s3").put_object(Bucket="{deploy.bucket}", Key="got", Body=json.dumps(event))
    """
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{deploy.function('f', source)}"
    text = '{"dataset": "employee", "trigger": "nightly", "by": "<aws.scheduler.schedule-arn>"}'
    schedule(client, deploy, arn, Input=text)
    assert fire("default", deploy.name) == (200, {"fired": arn})
    until(lambda: client("s3").list_objects_v2(Bucket=deploy.bucket, Prefix="got").get("KeyCount"))
    event = json.loads(client("s3").get_object(Bucket=deploy.bucket, Key="got")["Body"].read())
    assert event == {
        "dataset": "employee",
        "trigger": "nightly",
        "by": f"arn:aws:scheduler:us-east-1:123456789012:schedule/default/{deploy.name}",
    }


@pytest.mark.parametrize(
    ("target", "fields", "reason"),
    [
        ("arn:aws:lambda:us-east-1:123456789012:function:none", {}, "does not exist"),
        ("arn:aws:states:us-east-1:123456789012:stateMachine:x", {}, "not emulated"),
        (
            "arn:aws:lambda:us-east-1:123456789012:function:none",
            {"RoleArn": "arn:aws:iam::123456789012:role/nobody"},
            "cannot assume role",
        ),
    ],
)
def test_what_cannot_be_fired_says_why(client, deploy, fire, target, fields, reason):
    """A missing function, an unknown target and a missing role are told apart."""
    schedule(client, deploy, target, **fields)
    status, answer = fire("default", deploy.name)
    assert status == 409
    assert reason in answer["error"]


def test_an_unknown_schedule_cannot_be_fired(fire):
    """The name must be one that is deployed."""
    assert fire("default", "no-such-schedule")[0] == 409


def test_a_rate_fires_by_the_clock(client, deploy, offline_aws):
    """A schedule with a rate fires when it is made and at each of its times, once, and says which it is."""
    queue = client("sqs").create_queue(QueueName=deploy.name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:123456789012:{deploy.name}"
    schedule(client, deploy, arn, expression="rate(5 minutes)", Input="<aws.scheduler.scheduled-time>")
    made = client("scheduler").get_schedule(Name=deploy.name)["CreationDate"]
    first = until(lambda: client("sqs").receive_message(QueueUrl=queue).get("Messages"))
    ahead = Clock(offline_aws.state)  # one that has fired nothing yet, and is told the time
    for seconds in (1000, 1001, 1100, 1201):
        ahead.tick(made.timestamp() + seconds)
    later = until(
        lambda: client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages")
    )

    told = [datetime.fromisoformat(message["Body"]) for message in (*first, *later)]
    assert [round((at - made).total_seconds()) for at in told] in ([0, 900, 1200], [-1, 899, 1199])
