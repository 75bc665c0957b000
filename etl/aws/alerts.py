"""Alerts, to the SNS topic."""

from etl.alert import Alert
from etl.aws.clients import client


def publish_alert(topic_arn: str, alert: Alert) -> None:
    """Attributes let a subscription filter by dataset and severity."""
    client("sns").publish(
        TopicArn=topic_arn,
        Subject=alert.subject,
        Message=alert.text,
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value}
            for name, value in {"dataset": alert.dataset, "severity": alert.severity}.items()
        },
    )
