"""What every service extension is told about the server it extends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServerState:
    """Where the offline AWS keeps its files, and how its own children reach it.

    `endpoint` is known before any extension is installed, because the server binds its port first;
    nothing answers there until every extension is in place.
    """

    state_dir: Path
    endpoint: str
    region: str
    account_id: str

    @property
    def logs_dir(self) -> Path:
        """One file per job run and per Lambda function, and the server's own log."""
        return self._folder("logs")

    @property
    def outbox_dir(self) -> Path:
        """The e-mails that SNS would have sent, one .txt each."""
        return self._folder("outbox")

    @property
    def tmp_dir(self) -> Path:
        """Folders of job runs and Lambda calls while they last; one that was killed leaves its own."""
        return self._folder("tmp")

    def _folder(self, name: str) -> Path:
        folder = self.state_dir / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder
