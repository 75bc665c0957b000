"""CloudWatch metrics of a run; the only dimension is the dataset."""

from collections.abc import Mapping

from etl.aws.clients import client


def publish_metrics(namespace: str, dataset: str, values: Mapping[str, float]) -> None:
    """`values` by metric name; names ending in Seconds or Percent have that unit, all others are counts."""
    client("cloudwatch").put_metric_data(
        Namespace=namespace,
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": "Dataset", "Value": dataset}],
                "Value": value,
                "Unit": next((unit for unit in ("Seconds", "Percent") if name.endswith(unit)), "Count"),
            }
            for name, value in values.items()
        ],
    )
