"""What a scenario did and saw, and whether it ended as documented."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from scripts.demo_view import View


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds from when it went wrong.

    `on_aws` is computed: the same with the waits that AWS would have, which `because` names. None when no
    wait was shortened.
    """

    seconds: float
    on_aws: float | None = None
    because: str = ""


@dataclass(slots=True)
class Episode:
    """`began` is when it went wrong; what is told of how long something took is counted from there.

    `alerted` and `recovered` stay None where the documented ending has no alert, or nothing to recover from.
    """

    name: str
    done: str
    documented: str
    view: View
    began: datetime | None = None
    seen: list[str] = field(default_factory=list)
    alerted: Took | None = None
    recovered: Took | None = None
    failed: list[str] = field(default_factory=list)
    checks: int = 0
    error: str | None = None
    seconds: float = 0

    @property
    def is_as_documented(self) -> bool:
        """One that checked nothing has proved nothing."""
        return not self.error and not self.failed and self.checks > 0

    def check(self, statement: str, holds: bool) -> None:
        self.checks += 1
        if not holds:
            self.failed.append(statement)
        self.view.check(statement, holds)

    def see(self, text: str) -> None:
        self.seen.append(text)
        self.view.say(text)

    def since(self, moment: datetime) -> float:
        assert self.began, "the scenario has to say when it went wrong"
        return (moment - self.began).total_seconds()

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "done": self.done,
            "documented": self.documented,
            "seen": self.seen,
            "as_documented": self.is_as_documented,
            "checks": self.checks,
            "failed_checks": self.failed,
            "error": self.error,
            "alerted": _took_json(self.alerted),
            "recovered": _took_json(self.recovered),
            "seconds": round(self.seconds, 1),
        }


def _took_json(took: Took | None) -> dict[str, Any] | None:
    if took is None:
        return None
    on_aws = None if took.on_aws is None else round(took.on_aws, 1)
    return {"seconds": round(took.seconds, 1), "computed_on_aws": on_aws, "because": took.because or None}
