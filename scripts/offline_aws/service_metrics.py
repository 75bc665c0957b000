"""The metrics that AWS's services send of themselves, as far as something here happens for real.

| namespace | metrics | when |
|---|---|---|
| AWS/Lambda | Invocations, Errors | an invocation ends |
| AWS/Events | TriggeredRules, FailedInvocations | a rule matches, one of its targets cannot be reached |
| AWS/SQS | ApproximateNumberOfMessagesVisible, ApproximateAgeOfOldestMessage | alarms are evaluated |
| a metric filter's | its metrics | a line of the log group matches |
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, MetricDatum
from moto.core.utils import utcfromtimestamp
from moto.logs.models import LogsBackend
from moto.logs.utils import EventMessageFilter
from moto.sqs.models import sqs_backends

from scripts.offline_aws.state import ServerState

_MOST_DATA_POINTS = 2_000
"""Of one metric; the oldest are forgotten."""

Series = tuple[str, str, tuple[tuple[str, str], ...]]

_points: dict[Series, deque[tuple[float, float]]] = defaultdict(lambda: deque(maxlen=_MOST_DATA_POINTS))


def record(
    namespace: str, name: str, dimensions: Mapping[str, str], value: float, at: float | None = None
) -> None:
    """One data point; `at` is in seconds since 1970, now by default."""
    moment = time.time() if at is None else at
    _points[namespace, name, tuple(sorted(dimensions.items()))].append((moment, value))


def sample_queues(state: ServerState) -> None:
    """How full each queue is right now, a data point a minute while it stays the same."""
    now = time.time()
    for queue in list(sqs_backends[state.account_id][state.region].queues.values()):
        visible = queue.messages
        dimensions = {"QueueName": queue.name}
        age = max((now - message.sent_timestamp / 1000 for message in visible), default=0)
        for name, value in {
            "ApproximateNumberOfMessagesVisible": len(visible),
            "ApproximateAgeOfOldestMessage": age,
        }.items():
            known = _points["AWS/SQS", name, tuple(dimensions.items())]
            if not known or known[-1][1] != value or known[-1][0] <= now - 60:
                record("AWS/SQS", name, dimensions, value, now)


def recorded() -> Iterator[MetricDatum]:
    """All data points, as moto keeps those that are put."""
    for (namespace, name, dimensions), points in list(_points.items()):
        named = [{"Name": key, "Value": value} for key, value in dimensions]
        for moment, value in list(points):
            yield MetricDatum(namespace, name, value, named, utcfromtimestamp(moment))


def install(_: ServerState) -> None:
    put_log_events = LogsBackend.put_log_events
    of_moto = CloudWatchBackend.aws_metric_data.fget

    def put_and_count(
        self: LogsBackend, log_group_name: str, log_stream_name: str, log_events: list[dict[str, Any]]
    ) -> tuple[str, dict[str, Any]]:
        answer = put_log_events(self, log_group_name, log_stream_name, log_events)
        for metric_filter in self.filters.get_matching_filters(log_group_name=log_group_name):
            _count(metric_filter, log_events)
        return answer

    LogsBackend.put_log_events = put_and_count
    CloudWatchBackend.aws_metric_data = property(lambda self: [*of_moto(self), *recorded()])


def _count(metric_filter: Mapping[str, Any], log_events: list[dict[str, Any]]) -> None:
    """A data point for each line that matches; of patterns, a term and a quoted phrase are understood."""
    pattern = EventMessageFilter(metric_filter["filterPattern"])
    for event in log_events:
        if not pattern.matches(event["message"]):
            continue
        for metric in metric_filter["metricTransformations"]:
            value = float(metric["metricValue"])
            record(metric["metricNamespace"], metric["metricName"], {}, value, event["timestamp"] / 1000)
