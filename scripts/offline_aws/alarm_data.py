"""The data points that an alarm looks at, and what CloudWatch concludes from them.

Source: CloudWatch User Guide, "Alarm evaluation", "Configuring how CloudWatch alarms treat missing data".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from moto.cloudwatch.models import Alarm, MetricDatumBase, Statistics

from scripts.offline_aws.alarm_expressions import calculate

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]

_LOOKED_AT_BEYOND = 2
"""CloudWatch retrieves more data points than an alarm evaluates, in case some are missing. How many, it keeps
to itself; the example in its documentation has 5 for 3."""

_BREACHES: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}

WORDS = {
    "GreaterThanThreshold": "greater than",
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}


class Metrics:
    """All data points, by metric, so that many alarms can be evaluated at one moment."""

    def __init__(self, data: Iterable[MetricDatumBase]) -> None:
        self._by_metric: dict[tuple, list[tuple[datetime, MetricDatumBase]]] = defaultdict(list)
        for datum in data:
            key = (datum.namespace, datum.name, frozenset((d.name, d.value) for d in datum.dimensions))
            self._by_metric[key].append((_aware(datum.timestamp), datum))

    def statistic(
        self, metric: tuple[str, str, frozenset], stat: str, after: datetime, until: datetime
    ) -> float | None:
        """None when there is no data point in the window, whose end belongs to it."""
        window = Statistics([stat], until)
        window.metric_data = [datum for moment, datum in self._by_metric[metric] if after < moment <= until]
        value = window.get_statistics_for_type(stat) if window.metric_data else None
        return None if value is None else float(value)


@dataclass(frozen=True, slots=True)
class DataPoint:
    starts_at: datetime
    value: float | None


def data_points(alarm: Alarm, metrics: Metrics, at: datetime) -> list[DataPoint]:
    """What the alarm looks at, newest first. Its windows slide: the newest ends at `at`."""
    count = int(alarm.evaluation_periods) + _LOOKED_AT_BEYOND
    period = timedelta(seconds=_period(alarm))
    ends = [at - number * period for number in range(count)]
    return [DataPoint(end - period, _value(alarm, metrics, end - period, end)) for end in ends]


def _period(alarm: Alarm) -> int:
    if not alarm.metric_data_queries:
        return int(alarm.period)
    return max(int(q.metric_stat.period) for q in alarm.metric_data_queries if q.metric_stat)


def _value(alarm: Alarm, metrics: Metrics, after: datetime, until: datetime) -> float | None:
    if not alarm.metric_data_queries:
        dimensions = frozenset((d.name, d.value) for d in alarm.dimensions)
        metric = (alarm.namespace, alarm.metric_name, dimensions)
        return metrics.statistic(metric, alarm.statistic, after, until)
    values: dict[str, float | None] = {}
    for query in alarm.metric_data_queries:
        if stat := query.metric_stat:
            dimensions = frozenset((d.name, d.value) for d in stat.metric.dimensions)
            metric = (stat.metric.namespace, stat.metric.metric_name, dimensions)
            values[query.id] = metrics.statistic(metric, stat.stat, after, until)
    [watched] = [q for q in alarm.metric_data_queries if str(q.return_data).lower() == "true"]
    return calculate(watched.expression, values) if watched.expression else values[watched.id]


def breaches(alarm: Alarm, value: float) -> bool:
    return _BREACHES[alarm.comparison_operator](value, float(alarm.threshold))


def conclude(alarm: Alarm, points: Sequence[DataPoint]) -> State | None:
    """The state that the points, newest first, put the alarm in; None leaves it in the one it has."""
    needed = int(alarm.evaluation_periods)
    to_alarm = int(alarm.datapoints_to_alarm or needed)
    real = [breaches(alarm, point.value) for point in points if point.value is not None]
    if len(real) >= needed:  # then what is missing does not matter
        return "ALARM" if sum(real[:needed]) >= to_alarm else "OK"
    missing = needed - len(real)
    match alarm.treat_missing_data or "missing":
        case "breaching":
            return "ALARM" if sum(real) + missing >= to_alarm else "OK"
        case "notBreaching":
            return "ALARM" if sum(real) >= to_alarm else "OK"
        case "ignore" if sum(real) < to_alarm <= sum(real) + missing:
            return None
        case "missing" if not real:
            return "INSUFFICIENT_DATA"
        case "missing":
            return "ALARM" if sum(real) >= min(to_alarm, len(real)) else "OK"
    return "ALARM" if sum(real) >= to_alarm else "OK"


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
