"""Alarms: what data points make of them, what they say, and to whom."""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from deployments import Deployer

from scripts.offline_aws.alarm_data import DataPoint, conclude
from scripts.offline_aws.alarm_expressions import NotEmulated, calculate, holds

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def deploy(client, bucket, role, name):
    return Deployer(client, bucket, role, name)


@pytest.fixture
def evaluate(offline_aws):
    """`evaluate(at)` evaluates all alarms as at a moment and answers what the control endpoint does."""

    def ask(at: datetime | None) -> dict[str, Any]:
        body = json.dumps({"at": at.isoformat()} if at else {}).encode()
        url = f"{offline_aws.state.endpoint}/lakegate-offline/alarms/evaluate"
        with urllib.request.urlopen(urllib.request.Request(url, body, method="POST")) as answer:
            return json.load(answer)

    yield ask
    ask(None)


@pytest.fixture
def topic(client, name):
    """The ARN of a topic that CloudWatch may publish to, and the URL of a queue at it; it mails, too."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn = client("sns").create_topic(Name=name, Attributes={"Policy": policy})["TopicArn"]
    client("sns").subscribe(TopicArn=arn, Protocol="email", Endpoint=f"{name}@example.com")
    url = client("sqs").create_queue(QueueName=name)["QueueUrl"]
    queue_arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)
    return arn, url


def put_alarm(client, name: str, topic_arn: str = "", **fields: Any) -> None:
    alarm = {
        "AlarmName": name,
        "AlarmDescription": f"About {name}.",
        "Namespace": "Test",
        "MetricName": name,
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [topic_arn] if topic_arn else [],
        "OKActions": [topic_arn] if topic_arn else [],
    }
    client("cloudwatch").put_metric_alarm(**{k: v for k, v in (alarm | fields).items() if v is not None})


def put_points(client, metric: str, *points: tuple[datetime, float], namespace: str = "Test") -> None:
    data = [{"MetricName": metric, "Timestamp": at, "Value": value} for at, value in points]
    client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)


def mails_to(offline_aws, name: str) -> list[str]:
    texts = [path.read_text("utf-8") for path in sorted(offline_aws.state.outbox_dir.glob("*.txt"))]
    return [text for text in texts if text.startswith(f"To: {name}@example.com\n")]


# After "Configuring how CloudWatch alarms treat missing data", for 3 out of 3: 0 is a data point within the
# threshold, X one beyond it, - one that is missing; oldest first. Then what each treatment makes of them.
@pytest.mark.parametrize(
    ("points", "missing", "ignore", "breaching", "not_breaching"),
    [
        ("0 - X - X", "OK", "OK", "OK", "OK"),
        ("0 - - - -", "OK", "OK", "OK", "OK"),
        ("- - - - -", "INSUFFICIENT_DATA", None, "ALARM", "OK"),
        ("0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
        ("- - X - -", "ALARM", None, "ALARM", "OK"),
    ],
)
def test_missing_data_is_treated_as_documented(points, missing, ignore, breaching, not_breaching):
    """The examples of AWS's documentation come out as it says."""
    values = {"0": 0.0, "X": 1.0, "-": None}
    series = [DataPoint(NOON, values[point]) for point in reversed(points.split())]
    found = {
        treatment: conclude(_alarm(treatment, evaluation_periods=3, datapoints_to_alarm=3), series)
        for treatment in ("missing", "ignore", "breaching", "notBreaching")
    }
    expected = (missing, ignore, breaching, not_breaching)
    assert tuple(found.values()) == expected


def test_some_of_the_last_points_are_enough():
    """With 2 out of 3, two breaching points among the last three are an alarm; older ones do not count."""
    alarm = _alarm("missing", evaluation_periods=3, datapoints_to_alarm=2)
    series = {name: [DataPoint(NOON, float(c == "X")) for c in name] for name in ("X0X00", "X00XX")}
    assert {name: conclude(alarm, points) for name, points in series.items()} == {
        "X0X00": "ALARM",
        "X00XX": "OK",
    }


def _alarm(treat_missing_data: str, **fields: Any) -> Any:
    return SimpleNamespace(
        comparison_operator="GreaterThanThreshold",
        threshold=0.5,
        treat_missing_data=treat_missing_data,
        **fields,
    )


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("(1 - fresh) * 1000.0000", 250),
        ("FILL(gone, 0) + FILL(errors, 9)", 2),
        ("errors + gone", None),
        ("errors / (fresh - 0.75)", None),
        ("MAX([errors, fresh])", 2),
        ("IF(errors > 1, -1, 1)", -1),
    ],
)
def test_metric_math(expression, value):
    """Arithmetic of data points; one that is missing makes the result missing, unless it is filled."""
    assert calculate(expression, {"fresh": 0.75, "errors": 2.0, "gone": None}) == value


@pytest.mark.parametrize("expression", ["SEARCH('x', 'Sum')", "__import__('os')", "unknown + 1", "a ="])
def test_other_math_is_refused(expression):
    """What is not emulated is said, never guessed and never executed."""
    with pytest.raises(NotEmulated):
        calculate(expression, {"a": 1.0})


def test_rules_of_composite_alarms():
    """AND, OR, NOT and parentheses over the states of other alarms, which are named in quotes, or by ARN."""
    states = {"a AND b": "ALARM", "c": "OK", "d": "INSUFFICIENT_DATA"}
    assert holds('ALARM("a AND b") AND OK("c")', states)
    assert holds('(ALARM("c") OR INSUFFICIENT_DATA("d")) AND NOT ALARM("gone")', states)
    assert holds('ALARM("arn:aws:cloudwatch:us-east-1:123456789012:alarm:a AND b")', states)
    assert not holds('ALARM("c") OR FALSE', states)


def test_a_change_is_told_once_and_so_is_its_end(client, name, topic, evaluate, offline_aws):
    """One message when an alarm goes off, none while it stays, one when it is over; programs get JSON."""
    arn, url = topic
    put_alarm(client, name, arn)
    assert evaluate(NOON)["states"][name] == "OK"
    put_points(client, name, (NOON + timedelta(minutes=1), 3.0))
    at = NOON + timedelta(minutes=2)
    [change] = [c for c in evaluate(at)["changes"] if c["alarm"] == name]
    assert (change["from"], change["to"]) == ("OK", "ALARM")
    assert [c for c in evaluate(at + timedelta(minutes=1))["changes"] if c["alarm"] == name] == []
    assert evaluate(NOON + timedelta(hours=1))["states"][name] == "OK"
    subjects = [mail.splitlines()[2] for mail in mails_to(offline_aws, name)]
    told = [f'Subject: {state}: "{name}" in US East (N. Virginia)' for state in ("OK", "ALARM", "OK")]
    assert subjects == told
    assert f"About {name}." in mails_to(offline_aws, name)[1]
    bodies = [json.loads(json.loads(body)["Message"]) for body in Deployer.bodies(_reader(client), url)]
    assert [b["NewStateValue"] for b in bodies] == ["OK", "ALARM", "OK"]
    assert bodies[1]["NewStateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [")
    assert bodies[1]["Trigger"]["MetricName"] == name


def _reader(client) -> Any:
    return SimpleNamespace(client=client)


def test_a_composite_alarm_follows_its_members(client, name, topic, evaluate, offline_aws):
    """It tells which member was the cause; members without actions tell nobody."""
    for member in ("a", "b"):
        put_alarm(client, f"{name}-{member}")
    both = f'ALARM("{name}-a") AND ALARM("{name}-b")'
    client("cloudwatch").put_composite_alarm(AlarmName=name, AlarmRule=both, AlarmActions=[topic[0]])
    put_points(client, f"{name}-a", (NOON, 1.0))
    assert evaluate(NOON)["states"][name] == "OK"
    put_points(client, f"{name}-b", (NOON, 1.0))
    assert evaluate(NOON)["states"][name] == "ALARM"
    [mail] = mails_to(offline_aws, name)
    assert f"alarm:{name}-b transitioned to ALARM" in mail
    assert f"alarm:{name}-a transitioned" not in mail


def test_a_topic_that_shuts_cloudwatch_out_hears_nothing(client, name, topic, evaluate, offline_aws):
    """Without a policy that lets CloudWatch publish, an alarm goes off and nobody hears of it, as on AWS."""
    closed = json.dumps({"Version": "2012-10-17", "Statement": []})
    client("sns").set_topic_attributes(TopicArn=topic[0], AttributeName="Policy", AttributeValue=closed)
    put_alarm(client, name, topic[0])
    put_points(client, name, (NOON, 1.0))
    assert evaluate(NOON)["states"][name] == "ALARM"
    assert mails_to(offline_aws, name) == []


def test_what_services_send_of_themselves(client, deploy, evaluate):
    """A dead letter, a function that fails and what it logs raise alarms; nobody has to send metrics."""
    name = deploy.name
    function = deploy.function("f", "def handler(event, context):\n    print('[ERROR] no'); raise ValueError")
    client("logs").create_log_group(logGroupName=f"/aws/lambda/{function}")
    client("logs").put_metric_filter(
        logGroupName=f"/aws/lambda/{function}",
        filterName=name,
        filterPattern='"[ERROR]"',
        metricTransformations=[{"metricName": name, "metricNamespace": "Logged", "metricValue": "1"}],
    )
    url, _ = deploy.queue("q")
    client("sqs").send_message(QueueUrl=url, MessageBody="x")
    client("lambda").invoke(FunctionName=function)
    put_alarm(client, f"{name}-log", Namespace="Logged", MetricName=name)
    of_function = [{"Name": "FunctionName", "Value": function}]
    errors = {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": of_function}
    put_alarm(client, f"{name}-errors", **errors)
    of_queue = [{"Name": "QueueName", "Value": f"{name}-q"}]
    depth = {"MetricName": "ApproximateNumberOfMessagesVisible", "Dimensions": of_queue}
    put_alarm(client, f"{name}-depth", Namespace="AWS/SQS", Statistic="Maximum", **depth)
    states = evaluate(None)["states"]
    assert {states[f"{name}-{kind}"] for kind in ("errors", "log", "depth")} == {"ALARM"}
    deploy.bodies(url)
    assert evaluate(datetime.now(UTC) + timedelta(minutes=20))["states"][f"{name}-depth"] == "OK"
