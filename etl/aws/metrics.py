"""CloudWatch metrics of a run; the only dimension is the dataset."""

from collections.abc import Mapping
from datetime import datetime

from etl.aws.clients import client


def publish_metrics(
    namespace: str, dataset: str, values: Mapping[str, float], at: datetime | None = None
) -> None:
    """`values` by metric name, of now or the given time.

    Names ending in Seconds or Percent have that unit, all others are counts.
    """
    time = {"Timestamp": at} if at else {}
    client("cloudwatch").put_metric_data(
        Namespace=namespace,
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": "Dataset", "Value": dataset}],
                "Value": value,
                **time,
                "Unit": next((unit for unit in ("Seconds", "Percent") if name.endswith(unit)), "Count"),
            }
            for name, value in values.items()
        ],
    )
