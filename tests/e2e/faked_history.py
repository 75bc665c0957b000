"""Weeks of metrics that never were, for the alarms that are deployed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.offline_machine import Machine

_STEP = timedelta(days=30)  # no alarm looks back as far, so what came before a step is forgotten
_RECORDED = timedelta(hours=3)
_EVERY = timedelta(minutes=5)

# A value that is good and one that is bad; None sends nothing. Of all others 0 is good, and much is bad.
_VALUES: dict[str, tuple[float | None, float | None]] = {
    "Fresh": (1, 0),
    "MaintenanceSeconds": (30, None),
}
_MUCH = 10_000.0


class FakedHistory:
    """A machine in the far future, where no real data point disturbs."""

    def __init__(self, machine: Machine):
        self._machine = machine
        self._cloudwatch = machine.client("cloudwatch")
        self._now = datetime.now(UTC).replace(microsecond=0)
        answer = self._cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        self._alarms = [*answer["MetricAlarms"], *answer["CompositeAlarms"]]

    @property
    def telling(self) -> set[str]:
        """Names of the alarms that tell people."""
        return {alarm["AlarmName"] for alarm in self._alarms if alarm["AlarmActions"]}

    @property
    def events(self) -> set[str]:
        """Of those, the ones that tell of an event, and so have no end to tell of."""
        return {a["AlarmName"] for a in self._alarms if a["AlarmActions"] and not a["OKActions"]}

    def states_after(self, *, good: bool) -> dict[str, str]:
        """States of the alarms that tell people, after some hours in which all was good, or all was bad."""
        self._now += _STEP
        for namespace, metric in self._metrics():
            value = _VALUES.get(metric["MetricName"], (0, _MUCH))[0 if good else 1]
            if value is not None:
                moments = [self._now - _EVERY * number for number in range(_RECORDED // _EVERY)]
                data = [{**metric, "Timestamp": moment, "Value": value} for moment in moments]
                self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
        states = self._machine.evaluate_alarms(self._now)
        return {name: states[name] for name in self.telling}

    def after(self, passed: timedelta) -> dict[str, str]:
        """States of all alarms this much later, with data that was fresh all the time."""
        fresh_at = [self._now + _EVERY * (number + 1) for number in range(passed // _EVERY)]
        self._now += passed
        return self._measured(dict.fromkeys(fresh_at, 1))

    def once_stale(self) -> dict[str, str]:
        """States of all alarms right after a single measurement that was not fresh."""
        self._now += _EVERY
        return self._measured({self._now: 0})

    def _measured(self, values: dict[datetime, int]) -> dict[str, str]:
        fresh = next(metric for _, metric in self._metrics() if metric["MetricName"] == "Fresh")
        data = [{**fresh, "Timestamp": moment, "Value": value} for moment, value in values.items()]
        self._cloudwatch.put_metric_data(Namespace="Lakegate", MetricData=data)
        return self._machine.evaluate_alarms(self._now)

    def _metrics(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What the alarms look at."""
        queries = [query for alarm in self._alarms for query in alarm.get("Metrics", [])]
        in_math = [query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query]
        seen = []
        for metric in (*in_math, *(alarm for alarm in self._alarms if alarm.get("MetricName"))):
            known = {"MetricName": metric["MetricName"], "Dimensions": metric.get("Dimensions", [])}
            if (metric["Namespace"], known) not in seen:
                seen.append((metric["Namespace"], known))
                yield seen[-1]
