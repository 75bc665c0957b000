"""What an alert says. Standard library only: the Lambdas use it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal, Self

_SUBJECT_LIMIT = 100  # SNS refuses longer subjects, and any that is not one line of printable ASCII
_TEXT_LIMIT_BYTES = 8000
_ITEM_LIMIT = 12  # of a list
_LINE_LIMIT = 400

Severity = Literal["critical", "warning", "info"]


class AlertKind(StrEnum):
    """One message of a kind is sent for a run. Each has a runbook of its name in docs/runbooks/."""

    GATE_REJECTED = "gate-rejected"
    GATE_BROKEN = "gate-broken"
    PASSED_WITH_WARNINGS = "passed-with-warnings"
    COLUMNS_CHANGED = "columns-changed"
    IDENTITY_CHANGED = "identity-changed"
    RUN_FAILED = "run-failed"
    RUN_STOPPED = "run-stopped"
    MANUAL_INTERVENTION = "manual-intervention"
    RECOVERED = "recovered"
    CRAWLER_FAILED = "crawler-failed"
    MAINTENANCE_FAILED = "maintenance-failed"
    FILE_NOT_TAKEN = "file-not-taken"


@dataclass(frozen=True, slots=True)
class Alert:
    """`severity` is critical when data did not arrive, warning when it did or still may, info at its end.

    `scope` is what the alert is about: of two alerts of one dataset, kind and scope, one is sent. It is made
    of ids alone, and becomes part of an object's key. `run_id` is empty where there is no run.
    """

    dataset: str
    kind: AlertKind
    severity: Severity
    scope: str
    run_id: str
    headline: str
    text: str
    facts: Mapping[str, str]

    @property
    def subject(self) -> str:
        printable = "".join(c if c.isascii() and c.isprintable() else "?" for c in self.headline)
        return f"[Lakegate {self.severity}] {printable}"[:_SUBJECT_LIMIT]

    @property
    def attributes(self) -> dict[str, str]:
        """What a subscription can filter by."""
        told = {"dataset": self.dataset, "kind": self.kind, "run_id": self.run_id, "severity": self.severity}
        return {name: value for name, value in told.items() if value}  # SNS refuses an empty one

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        document = json.loads(text)
        return cls(**{**document, "kind": AlertKind(document["kind"])})

    def for_machines(self) -> dict[str, Any]:
        """For chat and tickets: the schema of custom notifications that Amazon Q in chat applications takes.

        Source: https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
        """
        return {
            "version": "1.0",
            "source": "custom",
            "content": {"textType": "client-markdown", "title": self.subject, "description": self.text},
            "metadata": {
                "threadId": self.scope,  # a recovery is told below what it is about
                "summary": self.headline,
                "eventType": self.kind,
                "additionalContext": dict(self.facts) | self.attributes,
            },
        }


def compose(
    dataset: str,
    kind: AlertKind,
    severity: Severity,
    scope: str,
    headline: str,
    facts: Mapping[str, str | Sequence[str] | None],
    next_step: str,
    runbooks_url: str,
    run_id: str = "",
) -> Alert:
    """Plain text that reads well in a mail: the headline, one fact a line, what to do now, and the runbook.

    A fact that is a list is told item by item, as many as fit.
    """
    told = {name: _as_text(value) for name, value in facts.items() if value}
    width = max(map(len, told), default=0) + 1
    indent = "\n" + " " * (width + 1)
    lines = [f"{name + ':':<{width}} {value}".replace("\n", indent) for name, value in told.items()]
    end = [next_step, "", f"Runbook: {runbooks_url.rstrip('/')}/{kind}.md", ""]
    head = _cut("\n".join([headline, "", *lines]), _TEXT_LIMIT_BYTES - len("\n".join(end).encode()))
    return Alert(dataset, kind, severity, scope, run_id, headline, "\n".join([head, "", *end]), told)


def _as_text(value: str | Sequence[str]) -> str:
    if isinstance(value, str):
        return _short(value)
    shown = [_short(item) for item in value[:_ITEM_LIMIT]]
    if more := len(value) - len(shown):
        shown.append(f"... and {more} more")
    return "\n".join(shown)


def _short(line: str) -> str:
    return line if len(line) <= _LINE_LIMIT else f"{line[: _LINE_LIMIT - 4]} ..."


def _cut(text: str, limit_bytes: int) -> str:
    """Whole lines, as many as fit."""
    if len(text.encode()) <= limit_bytes:
        return text
    note = "(The rest is left out here; see the Data Docs.)"
    lines = text.split("\n")
    while lines and len("\n".join([*lines, note]).encode()) > limit_bytes:
        lines.pop()
    return "\n".join([*lines, note])
