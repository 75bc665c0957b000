"""SNS: what e-mail subscriptions would have received lands in the outbox.

One text file a message and address, `<utc timestamp>-<n>.txt`: the headers To, From, Subject and
X-Topic-Arn, a blank line, the body. Nothing has to be confirmed: moto confirms every subscription at once.
"""

from __future__ import annotations

import itertools
import os
from datetime import UTC, datetime
from email.header import Header
from pathlib import Path
from typing import Any

from moto.sns.models import Subscription

from scripts.offline_aws.state import ServerState

EMAIL_PROTOCOLS = ("email", "email-json")
DEFAULT_SUBJECT = "AWS Notification Message"

_numbers = itertools.count(1)


def install(state: ServerState) -> None:
    publish = Subscription.publish

    def publish_or_write(
        self: Subscription,
        message: str,
        message_id: str,
        subject: str | None = None,
        *rest: Any,
        **named: Any,
    ) -> None:
        if self.protocol not in EMAIL_PROTOCOLS:
            publish(self, message, message_id, subject, **named)
            return
        matcher = self._filter_policy_matcher
        if matcher is not None and not matcher.matches(named.get("message_attributes"), message):
            return
        if named.get("message_structure") == "json":
            message = self._parse_message_structure(message, self.protocol)
        write_email(state.outbox_dir, self.endpoint, self.topic_arn, subject, message)

    Subscription.publish = publish_or_write


def write_email(outbox: Path, to: str, topic_arn: str, subject: str | None, body: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    path = outbox / f"{stamp}-{next(_numbers)}.txt"
    headers = (
        f"To: {to}",
        "From: no-reply@sns.amazonaws.com",
        f"Subject: {Header(subject or DEFAULT_SUBJECT, maxlinelen=998)}",
        f"X-Topic-Arn: {topic_arn}",
    )
    partial = path.with_suffix(".partial")
    partial.write_text("\n".join(headers) + f"\n\n{body}\n", encoding="utf-8")
    os.replace(partial, path)  # a reader of *.txt never sees half a message
    return path
