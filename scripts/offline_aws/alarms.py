"""CloudWatch's alarms, evaluated: state changes with their actions, by the clock or for a moment asked for.

    POST /lakegate-offline/alarms/evaluate      {"at": "2026-11-26T04:00:00Z"}

evaluates every alarm as at that moment, tells SNS of each change, and answers {"changes", "states"}.
From then on the clock stands still: alarms are evaluated only when asked for, until a request without `at`
sets it going again.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import Alarm, cloudwatch_backends
from moto.moto_api._internal import mock_random
from moto.sns.models import sns_backends
from moto.utilities.arns import parse_arn

from scripts.offline_aws.alarm_data import Metrics, State, conclude, data_points
from scripts.offline_aws.alarm_expressions import NotEmulated, holds
from scripts.offline_aws.alarm_messages import (
    Change,
    body,
    email,
    reason_of_composite_alarm,
    reason_of_metric_alarm,
    subject,
    triggering,
)
from scripts.offline_aws.control_requests import answer_at
from scripts.offline_aws.resource_policy import lets_service
from scripts.offline_aws.service_metrics import recorded, sample_queues
from scripts.offline_aws.sns import EMAIL_PROTOCOLS
from scripts.offline_aws.state import ServerState

log = logging.getLogger("offline_aws.alarms")

EVERY_SECONDS = 10.0
"""CloudWatch evaluates every minute; nobody should wait so long here."""

EVALUATE = re.compile(r"/lakegate-offline/alarms/evaluate")
SERVICE = "cloudwatch.amazonaws.com"

_one_at_a_time = threading.Lock()
_clock_stands = threading.Event()


def evaluate(state: ServerState, at: datetime | None = None) -> list[Change]:
    """Evaluate every alarm as at this moment, by default now, and do what the changes ask for."""
    with _one_at_a_time:
        sample_queues(state)
        at = at or datetime.now(UTC)
        backend = cloudwatch_backends[state.account_id][state.region]
        alarms = list(backend.alarms.values())
        changes = list(_changes_of_metric_alarms(alarms, Metrics([*backend.metric_data, *recorded()]), at))
        changes += _changes_of_composite_alarms(alarms, changes, at)
        for change in changes:
            _act(state, change, triggering(change.alarm, changes))
        return changes


def _changes_of_metric_alarms(alarms: list[Alarm], metrics: Metrics, at: datetime) -> Iterator[Change]:
    for alarm in alarms:
        if alarm.rule is not None:
            continue
        try:
            points = data_points(alarm, metrics, at)
        except NotEmulated as expression:
            log.warning("alarm %s is not evaluated: %s", alarm.name, expression)
            continue
        new = conclude(alarm, points)
        if new is not None and new != alarm.state_value:
            yield _move(alarm, new, reason_of_metric_alarm(alarm, new, points), at)


def _changes_of_composite_alarms(alarms: list[Alarm], before: list[Change], at: datetime) -> list[Change]:
    """Again and again until none changes: a composite alarm may be part of another."""
    composite, changes = [alarm for alarm in alarms if alarm.rule is not None], []
    for _ in composite:
        states = {alarm.name: alarm.state_value for alarm in alarms}
        moved = [
            _move(alarm, new, reason_of_composite_alarm(triggering(alarm, [*before, *changes]), at), at)
            for alarm in composite
            if (new := _state_by_rule(alarm, states)) not in {None, alarm.state_value}
        ]
        if not moved:
            break
        changes += moved
    return changes


def _state_by_rule(alarm: Alarm, states: Mapping[str, str]) -> State | None:
    try:
        return "ALARM" if holds(alarm.rule, states) else "OK"
    except NotEmulated as rule:
        log.warning("alarm %s is not evaluated: %s", alarm.name, rule)
        return None


def _move(alarm: Alarm, new: State, reason: str, at: datetime) -> Change:
    change = Change(alarm, alarm.state_value, new, reason, at)
    alarm.update_state(reason, "{}", new)
    alarm.state_updated_timestamp = at.replace(tzinfo=None)
    log.info("%s: %s -> %s. %s", alarm.name, change.old, new, reason)
    return change


def _act(state: ServerState, change: Change, children: list[Alarm]) -> None:
    alarm = change.alarm
    actions = {"ALARM": alarm.alarm_actions, "OK": alarm.ok_actions}.get(
        change.new, alarm.insufficient_data_actions
    )
    for action in actions if alarm.actions_enabled else ():
        try:
            _tell(state, action, change, children)
        except Exception:
            log.exception("alarm %s, action %s", alarm.name, action)


def _tell(state: ServerState, topic_arn: str, change: Change, children: list[Alarm]) -> None:
    arn = parse_arn(topic_arn)
    if arn.service != "sns":
        log.warning("alarm %s: actions of service %s are not emulated", change.alarm.name, arn.service)
        return
    backend = sns_backends[arn.account][arn.region]
    topic = backend.get_topic(topic_arn)
    if not lets_service(topic.policy, SERVICE, "sns:Publish", topic_arn, change.alarm.alarm_arn):
        log.warning("alarm %s: the policy of %s does not let CloudWatch in", change.alarm.name, topic_arn)
        return
    message_id = str(mock_random.uuid4())
    as_json = json.dumps(body(change, state.account_id, children))
    for subscription in backend._get_topic_subscriptions(topic):
        is_email = subscription.protocol in EMAIL_PROTOCOLS
        text = email(change, state.account_id) if is_email else as_json
        subscription.publish(text, message_id, subject(change), message_attributes={})


def _evaluate_on_request(state: ServerState, asked: dict[str, Any]) -> dict[str, Any]:
    at = None
    if asked.get("at"):
        _clock_stands.set()
        at = datetime.fromisoformat(asked["at"])
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    else:
        _clock_stands.clear()
    changes = evaluate(state, at)
    alarms = cloudwatch_backends[state.account_id][state.region].alarms
    return {
        "changes": [change.as_dict() for change in changes],
        "states": {name: alarm.state_value for name, alarm in sorted(alarms.items())},
    }


def evaluate_by_the_clock(state: ServerState) -> None:
    """Evaluate all alarms again and again, in the background."""

    def run() -> None:
        while True:
            time.sleep(EVERY_SECONDS)
            try:
                if not _clock_stands.is_set():
                    evaluate(state)
            except Exception:
                log.exception("alarms could not be evaluated")

    threading.Thread(target=run, name="alarms", daemon=True).start()


def install(state: ServerState) -> None:
    answer_at(EVALUATE, lambda _, asked: _evaluate_on_request(state, asked))
