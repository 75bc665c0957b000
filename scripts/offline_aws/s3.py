"""S3's control plane: bucket notifications to EventBridge, bucket policies, access logging."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from moto.core.responses import TYPE_RESPONSE, ActionResult
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket, FakeDeleteMarker, S3Backend
from moto.s3.responses import S3Response

from scripts.offline_aws.state import ServerState


def install(_: ServerState) -> None:
    S3Response.get_bucket_notification = _with_event_bridge(S3Response.get_bucket_notification)
    S3Backend.list_object_versions = _listing_after_a_key(S3Backend.list_object_versions)
    # Asked of every version when versioning is off, and a marker has no body.
    FakeDeleteMarker.dispose = lambda _: None
    FakeBucket.get_permission = _get_permission
    FakeBucket._log_permissions_enabled_policy = staticmethod(
        _with_structured_principals(FakeBucket._log_permissions_enabled_policy)
    )


def _with_event_bridge(get_bucket_notification: Any) -> Any:
    """moto keeps and obeys the EventBridge configuration, and forgets to say so when it is read."""

    def get_with_event_bridge(self: S3Response) -> TYPE_RESPONSE:
        configuration = self.backend.get_bucket_notification_configuration(self.bucket_name)
        if configuration is None or configuration.event_bridge is None:
            return get_bucket_notification(self)
        serialized = self.serialized

        def serialized_with_event_bridge(answer: ActionResult) -> TYPE_RESPONSE:
            result = {**(answer.result or {}), "EventBridgeConfiguration": {}}
            return serialized(ActionResult(result))

        self.serialized = serialized_with_event_bridge
        try:
            return get_bucket_notification(self)
        finally:
            del self.serialized

    return get_with_event_bridge


def _listing_after_a_key(list_object_versions: Any) -> Any:
    """moto always skips one version at a key marker without a version, though the marker may be no key."""

    def list_after(self: S3Backend, bucket_name: str, *given: Any, **more: Any) -> tuple[Any, ...]:
        marker = more.get("key_marker")
        if not marker or more.get("version_id_marker") or more.get("delimiter"):
            return list_object_versions(self, bucket_name, *given, **more)
        everything = more | {"key_marker": None, "max_keys": None}
        versions, prefixes, deleted, *_ = list_object_versions(self, bucket_name, *given, **everything)
        after = ([one for one in found if one.name > marker] for found in (versions, deleted))
        return next(after), prefixes, next(after), None, None

    return list_after


def _get_permission(self: FakeBucket, action: str, resource: str) -> PermissionResult:
    """What the bucket's policy says, leaving out what cannot be judged here.

    moto takes every condition it cannot evaluate as met, so that a policy that only denies plain HTTP
    denies everything. A Deny with a condition, or for a named principal, is left out; requests count as
    if they had come over TLS.
    """
    if self.policy is None:
        return PermissionResult.NEUTRAL
    policy = json.loads(self.policy)
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    judged = [
        statement
        for statement in statements
        if statement["Effect"] == "Allow"
        or ("Condition" not in statement and statement.get("Principal") in ("*", {"AWS": "*"}))
    ]
    return IAMPolicy(json.dumps({**policy, "Statement": judged})).is_action_permitted(action, resource)


def _with_structured_principals(log_permissions_enabled_policy: Any) -> Any:
    """moto asks every principal for its Service, and "*" has none."""

    def check(target_bucket: FakeBucket, target_prefix: str | None) -> bool:
        if not target_bucket.policy:
            return False
        policy = json.loads(target_bucket.policy)
        policy["Statement"] = [
            statement for statement in policy["Statement"] if isinstance(statement.get("Principal"), dict)
        ]
        readable = SimpleNamespace(
            policy=json.dumps(policy).encode(), partition=target_bucket.partition, name=target_bucket.name
        )
        return log_permissions_enabled_policy(readable, target_prefix)

    return check
