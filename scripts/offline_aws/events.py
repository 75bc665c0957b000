"""EventBridge's deliveries: targets that moto lacks, inputs as AWS shapes them, and S3's own events.

A target that cannot be reached is logged, and the event kept in the target's dead letter queue if it has
one, as on AWS, where a delivery never fails what caused the event.
"""

from __future__ import annotations

import copy
import json
import logging
import re
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import moto.s3.notifications as s3_notifications
from moto.awslambda.models import lambda_backends
from moto.events.models import EventsBackend, Rule, events_backends
from moto.glue.models import glue_backends
from moto.logs.models import logs_backends
from moto.s3.notifications import S3NotificationEvent
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.utilities.arns import Arn, parse_arn

from scripts.offline_aws.lambda_runtime import lambda_runtime
from scripts.offline_aws.resource_policy import lets_service
from scripts.offline_aws.service_metrics import record
from scripts.offline_aws.state import ServerState
from scripts.offline_aws.workflows import start_workflow_run

log = logging.getLogger("offline_aws.events")

Event = dict[str, Any]
PLACEHOLDER = re.compile(r"<([^<>\s]+)>")

S3_REASONS = {
    "s3:ObjectCreated:Put": "PutObject",
    "s3:ObjectCreated:Post": "POST Object",
    "s3:ObjectCreated:Copy": "CopyObject",
    "s3:ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "s3:ObjectRemoved:Delete": "DeleteObject",
    "s3:ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
}


class Undeliverable(Exception):
    """The target does not exist, does not let EventBridge in, or is of a kind that is not emulated."""


def deliver(rule: Rule, event: Event) -> None:
    """Send `event`, in AWS's shape, to every target of a rule that is enabled and matches it."""
    if rule.state == "DISABLED" or not rule.event_pattern.matches_event(event):
        return
    of_rule = {"RuleName": rule.name}
    record("AWS/Events", "TriggeredRules", of_rule, 1)
    for target in list(rule.targets):
        try:
            _deliver_to_target(rule, target, event)
            continue
        except Undeliverable as reason:
            log.warning("rule %s, target %s: %s", rule.name, target["Arn"], reason)
            _keep_undelivered(rule, target, event, str(reason))
        except Exception:
            log.exception("rule %s, target %s", rule.name, target["Arn"])
        record("AWS/Events", "FailedInvocations", of_rule, 1)


def _deliver_to_target(rule: Rule, target: dict[str, Any], event: Event) -> None:
    arn = parse_arn(target["Arn"])
    if arn.service == "events":
        _to_bus_or_archive(rule, arn, target, event)
        return
    send = SENDERS.get(arn.service)
    if send is None:
        raise Undeliverable(f"targets of service {arn.service} are not emulated")
    send(rule, arn, target, target_input(target, event, rule))


def _keep_undelivered(rule: Rule, target: dict[str, Any], event: Event, reason: str) -> None:
    """Without a retry: what AWS would try again (throttling, an outage) does not happen here."""
    queue_arn = (target.get("DeadLetterConfig") or {}).get("Arn")
    if queue_arn is None:
        return
    told = {"RULE_ARN": rule.arn, "TARGET_ARN": target["Arn"], "ERROR_MESSAGE": reason}
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}
    try:
        _send_to_queue(rule, queue_arn, target_input(target, event, rule), message_attributes=attributes)
    except Undeliverable as undelivered:
        log.warning("rule %s, dead letter queue %s: %s", rule.name, queue_arn, undelivered)


def target_input(target: dict[str, Any], event: Event, rule: Rule) -> str:
    """What the target receives: JSON text, or plain text where a transformer's template is not JSON."""
    if (constant := target.get("Input")) is not None:
        return constant
    if path := target.get("InputPath"):
        return json.dumps(_at_path(path, event))
    if transformer := target.get("InputTransformer"):
        return _transformed(transformer, event, rule)
    return json.dumps(event)


def _transformed(transformer: dict[str, Any], event: Event, rule: Rule) -> str:
    paths = transformer.get("InputPathsMap") or {}
    values = {name: _at_path(path, event) for name, path in paths.items()}
    values |= {
        "aws.events.rule-arn": rule.arn,
        "aws.events.rule-name": rule.name,
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.json": event,
    }
    template = transformer["InputTemplate"]

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in values:
            return match.group(0)
        value = values[name]
        if _in_string(template, match.start()):  # text as it is, without quotes of its own
            return json.dumps(value if isinstance(value, str) else _plain(value))[1:-1]
        return json.dumps(value)

    filled = PLACEHOLDER.sub(fill, template)
    try:
        return json.dumps(json.loads(filled))
    except ValueError:
        return filled


def _in_string(template: str, position: int) -> bool:
    return len(re.findall(r'(?<!\\)"', template[:position])) % 2 == 1


def _plain(value: Any) -> str:
    return "" if value is None else json.dumps(value)


def _at_path(path: str, event: Event) -> Any:
    """The value at a JSON path of EventBridge's kind: `$`, dots and array indexes; None when absent."""
    value: Any = event
    for step in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]|\[['\"]([^'\"]+)['\"]\]", path):
        name, index, quoted_name = step
        try:
            value = value[int(index)] if index else value[name or quoted_name]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _to_queue(rule: Rule, arn: Arn, target: dict[str, Any], text: str) -> None:
    group = target.get("SqsParameters", {}).get("MessageGroupId")
    _send_to_queue(rule, target["Arn"], text, group_id=group)


def _send_to_queue(rule: Rule, queue_arn: str, text: str, **options: Any) -> None:
    arn = parse_arn(queue_arn)
    backend = sqs_backends[arn.account][arn.region]
    queue = backend.queues.get(arn.resource_id)
    if queue is None:
        raise Undeliverable("the queue does not exist")
    _require(lets_service(queue.policy, "events.amazonaws.com", "sqs:SendMessage", queue_arn, rule.arn))
    backend.send_message(arn.resource_id, text, **options)


def _to_topic(rule: Rule, arn: Arn, target: dict[str, Any], text: str) -> None:
    backend = sns_backends[arn.account][arn.region]
    topic = backend.topics.get(target["Arn"])
    if topic is None:
        raise Undeliverable("the topic does not exist")
    _require(lets_service(topic.policy, "events.amazonaws.com", "sns:Publish", target["Arn"], rule.arn))
    backend.publish(text, arn=target["Arn"])


def _to_lambda(rule: Rule, arn: Arn, target: dict[str, Any], text: str) -> None:
    function = lambda_backends[arn.account][arn.region].get_function_by_arn(target["Arn"])
    if function is None:
        raise Undeliverable("the function does not exist")
    policy = json.dumps({"Statement": function.policy.statements})
    action = "lambda:InvokeFunction"
    _require(lets_service(policy, "events.amazonaws.com", action, function.function_arn, rule.arn))
    lambda_runtime().invoke_later(function, _json_or_text(text))


def _to_log_group(rule: Rule, arn: Arn, target: dict[str, Any], text: str) -> None:
    name = arn.resource_id.removesuffix(":*")
    backend = logs_backends[arn.account][arn.region]
    if name not in backend.groups:
        raise Undeliverable("the log group does not exist")
    stream = str(uuid.uuid4())
    backend.create_log_stream(name, stream)
    backend.put_log_events(name, stream, [{"timestamp": int(time.time() * 1000), "message": text}])


def _to_workflow(rule: Rule, arn: Arn, target: dict[str, Any], text: str) -> None:
    if arn.resource_type != "workflow":
        raise Undeliverable(f"targets of kind glue:{arn.resource_type} are not emulated")
    start_workflow_run(glue_backends[arn.account][arn.region], arn.resource_id)


def _to_bus_or_archive(rule: Rule, arn: Arn, target: dict[str, Any], event: Event) -> None:
    if arn.resource_type == "event-bus":
        detail = {"Source": event["source"], "DetailType": event["detail-type"]}
        detail |= {"Detail": json.dumps(event["detail"]), "EventBusName": arn.resource_id}
        events_backends[arn.account][arn.region].put_events([detail])
    elif not arn.resource_type:  # moto records an archive as a rule whose transformer names the archive
        template = PLACEHOLDER.sub("0", target["InputTransformer"]["InputTemplate"])
        archive = parse_arn(json.loads(template)["archive-arn"])
        rule._send_to_events_archive(archive.resource_id, event)
    else:
        raise Undeliverable(f"targets of kind events:{arn.resource_type} are not emulated")


def _require(allowed: bool) -> None:
    if not allowed:
        raise Undeliverable("its resource policy does not let this rule in")


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


SENDERS: dict[str, Callable[[Rule, Arn, dict[str, Any], str], None]] = {
    "sqs": _to_queue,
    "sns": _to_topic,
    "lambda": _to_lambda,
    "logs": _to_log_group,
    "glue": _to_workflow,
}


def as_on_aws(event: Event) -> Event:
    """moto's internal event as a target sees it: ISO time, an id of its own, no internal field."""
    shaped = copy.deepcopy(event)
    shaped.pop("ingestion-time", None)
    shaped["time"] = _iso_time(shaped.get("time"))
    return shaped


def _iso_time(moment: Any) -> str:
    if isinstance(moment, str) and not re.fullmatch(r"[\d.]+", moment):
        return moment
    seconds = float(moment) if moment else time.time()
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def put_event(
    backend: EventsBackend, source: str, detail_type: str, detail: Event, resources: list[str]
) -> None:
    """An AWS service's event on the default bus."""
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": backend.account_id,
        "time": _iso_time(None),
        "region": backend.region_name,
        "resources": resources,
        "detail": detail,
    }
    for rule in list(backend.event_buses["default"].rules.values()):
        deliver(rule, event)


def _put_s3_event(account_id: str, bucket: Any, event_name: S3NotificationEvent, key: Any) -> None:
    name = event_name.value
    described = {"key": key.name, "size": key.size, "etag": key.etag.replace('"', "")}
    if bucket.is_versioned:
        described["version-id"] = key.version_id
    described["sequencer"] = f"{time.time_ns():018X}"
    detail = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": described,
        "request-id": uuid.uuid4().hex[:16].upper(),
        "requester": account_id,
        "source-ip-address": "127.0.0.1",
        "reason": S3_REASONS.get(name, name.split(":")[1]),
    }
    if name == "s3:ObjectRemoved:DeleteMarkerCreated":
        detail["deletion-type"] = "Delete Marker Created"
    elif name == "s3:ObjectRemoved:Delete":
        detail["deletion-type"] = "Permanently Deleted"
    try:
        backend = events_backends[account_id][bucket.region_name]
        put_event(backend, "aws.s3", s3_notifications._detail_type(name), detail, [bucket.arn])
    except Exception:
        log.exception("S3 event of %s", key.name)


def install(state: ServerState) -> None:
    def send_to_targets(self: Rule, original_event: Event, transform_input: bool = True) -> None:
        deliver(self, as_on_aws(original_event))

    Rule.send_to_targets = send_to_targets
    s3_notifications._send_event_bridge_message = _put_s3_event
