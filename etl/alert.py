"""What an alert says. Standard library only: the Lambdas use it."""

from dataclasses import dataclass
from typing import Literal

_SUBJECT_LIMIT = 100  # SNS refuses longer subjects, and any that is not one line of printable ASCII


@dataclass(frozen=True, slots=True)
class Alert:
    """`severity` is critical when data did not arrive, warning when it did but somebody should look."""

    dataset: str
    severity: Literal["critical", "warning"]
    headline: str
    text: str

    @property
    def subject(self) -> str:
        printable = "".join(c if c.isascii() and c.isprintable() else "?" for c in self.headline)
        return f"[Lakegate {self.severity}] {printable}"[:_SUBJECT_LIMIT]


def compose(
    dataset: str,
    severity: Literal["critical", "warning"],
    headline: str,
    facts: dict[str, str | None],
    next_step: str,
) -> Alert:
    """Plain text that reads well in a mail: the headline, one fact a line, and what to do now."""
    told = {name: value for name, value in facts.items() if value}
    width = max(map(len, told), default=0) + 1
    lines = [f"{name + ':':<{width}} {value}" for name, value in told.items()]
    return Alert(dataset, severity, headline, "\n".join([headline, "", *lines, "", next_step, ""]))
