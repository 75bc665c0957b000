"""Replays of an EventBridge archive: moto would bring back every event it keeps, to every rule."""

from __future__ import annotations

import uuid
from datetime import datetime

from moto.core.utils import unix_time
from moto.events.models import Archive, Replay, ReplayState, events_backends

from scripts.offline_aws.events import deliver
from scripts.offline_aws.state import ServerState


def install(state: ServerState) -> None:
    def replay_events(self: Replay, archive: Archive) -> None:
        """Those of the time asked for, to the rules asked for, each marked with the name of the replay."""
        bus = events_backends[self.account_id][self.region].event_buses[archive.event_bus_name]
        wanted = set(self.destination.get("FilterArns") or ())
        rules = [rule for rule in bus.rules.values() if not wanted or rule.arn in wanted]
        begin, end = float(self.event_start_time), float(self.event_end_time)
        for event in list(archive.events):
            if begin <= datetime.fromisoformat(event["time"]).timestamp() <= end:
                for rule in rules:
                    deliver(rule, {**event, "id": str(uuid.uuid4()), "replay-name": self.name})
        self.state = ReplayState.COMPLETED
        self.end_time = unix_time()

    Replay.replay_events = replay_events
