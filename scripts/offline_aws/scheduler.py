"""EventBridge Scheduler's schedules on request: offline no clock fires them.

    POST /lakegate-offline/schedules/<group>/<name>/fire

invokes the schedule's target with its input, whatever its expression or state, and answers
{"fired": <target ARN>}.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from moto.awslambda.models import lambda_backends
from moto.core.exceptions import JsonRESTError
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.scheduler.models import Schedule, scheduler_backends
from moto.sqs.models import sqs_backends
from moto.utilities.arns import parse_arn

from scripts.offline_aws.execution import RoleNotAssumable, assume_service_role
from scripts.offline_aws.lambda_runtime import lambda_runtime
from scripts.offline_aws.state import ServerState

log = logging.getLogger("offline_aws.scheduler")

FIRE = re.compile(r"/lakegate-offline/schedules/([^/]+)/([^/]+)/fire")


class CannotFire(Exception):
    """The schedule, its target or its role is not what firing it needs."""


def fire(state: ServerState, group: str, name: str) -> str:
    """Invoke the schedule's target once, and answer the target's ARN."""
    try:
        schedule = scheduler_backends[state.account_id][state.region].get_schedule(group, name)
    except JsonRESTError as error:
        raise CannotFire(error.message) from None
    target = schedule.target
    try:
        assume_service_role(state, target["RoleArn"], "scheduler.amazonaws.com", name)
    except RoleNotAssumable as error:
        raise CannotFire(f"the scheduler cannot assume role {error}") from None
    _send(state, target["Arn"], _with_context(target.get("Input", "{}"), schedule))
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


def _with_context(text: str, schedule: Schedule) -> str:
    """The context attributes that an input may name are replaced, as the scheduler does."""
    facts = {
        "<aws.scheduler.schedule-arn>": schedule.arn,
        "<aws.scheduler.scheduled-time>": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "<aws.scheduler.attempt-number>": "1",
    }
    for name, value in facts.items():
        text = text.replace(name, value)
    return text


_dispatch_in_moto = DomainDispatcherApplication.__call__


def install(state: ServerState) -> None:
    def dispatch(
        self: DomainDispatcherApplication, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        match = FIRE.fullmatch(environ.get("PATH_INFO", ""))
        if match is None or environ["REQUEST_METHOD"] != "POST":
            return _dispatch_in_moto(self, environ, start_response)
        try:
            status, answer = "200 OK", {"fired": fire(state, unquote(match[1]), unquote(match[2]))}
        except CannotFire as reason:
            status, answer = "409 Conflict", {"error": str(reason)}
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    DomainDispatcherApplication.__call__ = dispatch
