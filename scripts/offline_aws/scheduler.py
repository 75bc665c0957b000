"""EventBridge Scheduler: rate(...) schedules fire by the clock, and all of them on request.

A rate begins when the schedule is made, as it does on AWS where no start date is given; cron(...) and at(...)
wait to be asked. Of what a busy machine missed, it makes up for the last time only.

    POST /lakegate-offline/schedules/<group>/<name>/fire

invokes the schedule's target with its input, whatever its expression or state, and answers
{"fired": <target ARN>}.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from moto.awslambda.models import lambda_backends
from moto.core.exceptions import JsonRESTError
from moto.scheduler.models import Schedule, scheduler_backends
from moto.sqs.models import sqs_backends
from moto.utilities.arns import parse_arn

from scripts.offline_aws.control_requests import Refused, answer_at
from scripts.offline_aws.execution import RoleNotAssumable, assume_service_role
from scripts.offline_aws.lambda_runtime import lambda_runtime
from scripts.offline_aws.state import ServerState

log = logging.getLogger("offline_aws.scheduler")

FIRE = re.compile(r"/lakegate-offline/schedules/([^/]+)/([^/]+)/fire")
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_TICK_SECONDS = 0.5


class CannotFire(Refused):
    """The schedule, its target or its role is not what firing it needs."""


class Clock:
    """Fires each schedule with a rate at its times, until the process ends."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._fired: dict[tuple[str, float], int] = {}  # by ARN and creation, the last time

    def start(self) -> None:
        threading.Thread(target=self._run, name="scheduler", daemon=True).start()

    def _run(self) -> None:
        while True:
            self.tick(time.time())
            time.sleep(_TICK_SECONDS)

    def tick(self, now: float) -> None:
        """Fire what is due. What cannot be fired is logged, and due again the next time only."""
        groups = scheduler_backends[self._state.account_id][self._state.region].schedule_groups
        for schedule in [one for group in list(groups.values()) for one in list(group.schedules.values())]:
            interval = _interval(schedule.schedule_expression)
            if interval is None or schedule.state != "ENABLED":
                continue
            count = int((now - schedule.creation_date) // interval.total_seconds())
            key = (schedule.arn, schedule.creation_date)
            if count > self._fired.get(key, -1):
                self._fired[key] = count
                at = datetime.fromtimestamp(schedule.creation_date, UTC) + count * interval
                try:
                    fire(self._state, schedule.group_name, schedule.name, at)
                except CannotFire as reason:
                    log.warning("%s was not fired: %s", schedule.arn, reason)


def _interval(expression: str) -> timedelta | None:
    match = _RATE.fullmatch(expression)
    return timedelta(**{f"{match[2]}s": int(match[1])}) if match else None


def fire(state: ServerState, group: str, name: str, at: datetime | None = None) -> str:
    """Invoke the schedule's target once, for now or another time, and answer the target's ARN."""
    try:
        schedule = scheduler_backends[state.account_id][state.region].get_schedule(group, name)
    except JsonRESTError as error:
        raise CannotFire(error.message) from None
    target = schedule.target
    try:
        assume_service_role(state, target["RoleArn"], "scheduler.amazonaws.com", name)
    except RoleNotAssumable as error:
        raise CannotFire(f"the scheduler cannot assume role {error}") from None
    _send(state, target["Arn"], _with_context(target.get("Input", "{}"), schedule, at))
    log.info("fired %s/%s: %s", group, name, target["Arn"])
    return target["Arn"]


def _send(state: ServerState, target_arn: str, text: str) -> None:
    arn = parse_arn(target_arn)
    if arn.service == "lambda":
        function = lambda_backends[state.account_id][arn.region].get_function_by_arn(target_arn)
        if function is None:
            raise CannotFire(f"{target_arn} does not exist")
        lambda_runtime().invoke_later(function, json.loads(text))
    elif arn.service == "sqs":
        sqs_backends[state.account_id][arn.region].send_message(arn.resource_id, text)
    else:
        raise CannotFire(f"targets of service {arn.service} are not emulated")


def _with_context(text: str, schedule: Schedule, at: datetime | None) -> str:
    """The context attributes that an input may name are replaced, as the scheduler does."""
    facts = {
        "<aws.scheduler.schedule-arn>": schedule.arn,
        "<aws.scheduler.scheduled-time>": (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "<aws.scheduler.attempt-number>": "1",
    }
    for name, value in facts.items():
        text = text.replace(name, value)
    return text


def install(state: ServerState) -> None:
    def answer(match: re.Match[str], _: dict[str, Any]) -> dict[str, Any]:
        return {"fired": fire(state, unquote(match[1]), unquote(match[2]))}

    answer_at(FIRE, answer)
    Clock(state).start()
