"""What ended a job run, and whether another try can help.

Glue's error message is no reliable source of the error's class: it may begin with a category or a line
number, and of a process that died it says the exit code. So a job that fails by an error of our own leaves a
record of it; the message is asked only where there is none.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Self

from etl.errors import GateBroken, GateRejected, LakegateError


class Outlook(StrEnum):
    """What follows from a failure."""

    RETRY = "retry"
    VERDICT = "verdict"  # the gate has judged, or could not; it told people itself
    STOPPED = "stopped"  # a person stopped the job, and knows why
    HOPELESS = "hopeless"  # the same would happen again


@dataclass(frozen=True, slots=True)
class JobError:
    """The record that a failing job leaves; `error` is the class's name."""

    job_run_id: str
    error: str
    message: str
    retryable: bool

    @classmethod
    def of(cls, error: LakegateError, job_run_id: str) -> Self:
        return cls(job_run_id, type(error).__name__, str(error), error.retryable)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        return cls(**json.loads(text))

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    def __str__(self) -> str:
        return f"{self.error}: {self.message}"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job run ended, as Glue tells it, and the record it left."""

    job_name: str
    job_run_id: str
    state: str
    message: str
    record: JobError | None = None

    @property
    def error(self) -> str:
        """For people; neither of the two quotes a row."""
        if self.record:
            return str(self.record)
        return self.message or f"{self.state}, and nothing was said"

    @property
    def outlook(self) -> Outlook:
        if self.state == "STOPPED":
            return Outlook.STOPPED
        if self.state == "TIMEOUT":
            return Outlook.RETRY
        name = self.record.error if self.record else _named_class(self.message)
        if name in _VERDICTS:
            return Outlook.VERDICT
        if self.record:
            return Outlook.RETRY if self.record.retryable else Outlook.HOPELESS
        is_retryable = name is None or _CLASSES[name].retryable  # killed, or nothing we know: tried again
        return Outlook.RETRY if is_retryable else Outlook.HOPELESS


def _own_errors(cls: type[LakegateError]) -> Iterator[type[LakegateError]]:
    for child in cls.__subclasses__():
        yield child
        yield from _own_errors(child)


_VERDICTS = {GateRejected.__name__, GateBroken.__name__}
_CLASSES = {cls.__name__: cls for cls in _own_errors(LakegateError)}
_NAMED = re.compile(rf"\b({'|'.join(_CLASSES)}): ")


def _named_class(message: str) -> str | None:
    found = _NAMED.search(message)
    return found[1] if found else None
