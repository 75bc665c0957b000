"""SQS's control plane: attributes come back as AWS writes them."""

from __future__ import annotations

import json
from typing import Any

from moto.sqs.models import Queue

from scripts.offline_aws.state import ServerState


def install(_: ServerState) -> None:
    attributes, set_attributes = Queue.attributes.fget, Queue._set_attributes

    def attributes_as_aws_has_them(self: Queue) -> dict[str, Any]:
        """Redrive policies without spaces, as Terraform's jsonencode writes them, and none that is empty."""
        result = attributes(self)
        result.pop("RedrivePolicy", None)
        if self.redrive_policy:
            result["RedrivePolicy"] = json.dumps(self.redrive_policy, separators=(",", ":"))
        # moto keeps every attribute that is set, and answers only those it knows.
        if allowed := getattr(self, "redrive_allow_policy", None):
            result["RedriveAllowPolicy"] = json.dumps(json.loads(allowed), separators=(",", ":"))
        return result

    def set_attributes_that_are_given(self: Queue, given: dict[str, Any], now: float | None = None) -> None:
        """SetQueueAttributes changes what it is given; moto takes the policy away when it is not."""
        kept = {} if "Policy" in given else {"Policy": self.policy}
        set_attributes(self, {**given, **kept}, now)

    Queue._set_attributes = set_attributes_that_are_given
    Queue.attributes = property(attributes_as_aws_has_them)
