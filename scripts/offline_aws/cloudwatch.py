"""CloudWatch's control plane: composite alarms, and the state an alarm begins with."""

from __future__ import annotations

from typing import Any

from moto.cloudwatch.models import Alarm, CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from scripts.offline_aws.state import ServerState


def install(_: ServerState) -> None:
    put_metric_alarm = CloudWatchBackend.put_metric_alarm

    def put_and_keep_state(self: CloudWatchBackend, name: str, **definition: Any) -> Alarm:
        """PutMetricAlarm: a new alarm is INSUFFICIENT_DATA; an update leaves "its state" as it is."""
        known = self.alarms.get(name)
        alarm = put_metric_alarm(self, name=name, **definition)
        if known is None:
            alarm.state_value = "INSUFFICIENT_DATA"
        else:
            for kept in ("state_value", "state_reason", "state_reason_data", "history"):
                setattr(alarm, kept, getattr(known, kept))
            alarm.state_updated_timestamp = known.state_updated_timestamp
        return alarm

    def put_composite_alarm(self: CloudWatchResponse) -> ActionResult:
        # A composite alarm is, to moto, an alarm with a rule; its metric half stays empty.
        return self.put_metric_alarm()

    CloudWatchBackend.put_metric_alarm = put_and_keep_state
    CloudWatchResponse.put_composite_alarm = put_composite_alarm
