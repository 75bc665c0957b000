"""What SNS mailed, as whoever is on call reads it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import decode_header, make_header
from pathlib import Path

_RUNBOOK = re.compile(r"runbooks/([a-z-]+)\.md")
_STAMP = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True, slots=True)
class Mail:
    """`kind` is the alert's or the alarm's, which names its runbook; empty if it names none."""

    at: datetime
    subject: str
    text: str

    @classmethod
    def read(cls, path: Path) -> "Mail":
        headers, _, text = path.read_text(encoding="utf-8").partition("\n\n")
        subject = next(line for line in headers.splitlines() if line.startswith("Subject: "))
        at = datetime.strptime(path.stem.rpartition("-")[0], _STAMP).replace(tzinfo=UTC)
        return cls(at, str(make_header(decode_header(subject.removeprefix("Subject: ")))), text)

    @property
    def kind(self) -> str:
        found = _RUNBOOK.search(self.text)
        return found[1] if found else ""


def read_mails(paths: Iterable[Path], since: datetime) -> list[Mail]:
    """Those sent since then, oldest first."""
    mails = (Mail.read(path) for path in paths)
    return sorted((mail for mail in mails if mail.at >= since), key=lambda mail: mail.at)
