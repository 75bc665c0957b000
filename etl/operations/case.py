"""A case: what went wrong with one landed version of a file, from the first failure until it is published.

The count of tries lives here, in one document per version, changed by conditional writes alone. So whoever
hears of a failure twice, or late, finds that it is known.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from etl.operations.failure import Ended, Outlook
from etl.operations.retry import RetryPolicy

# A message that was delivered comes within minutes of its time; SQS tries five times, six minutes apart.
_OVERDUE_AFTER = timedelta(minutes=40)


NAMED_BY = ("dataset", "batch_date", "version_id", "landed_at")  # properties of a workflow run


class Decision(StrEnum):
    """What is done about a failure; `told` when people hear of it and that is all."""

    RETRY = "retry"
    HUMAN = "human"
    TOLD = "told"


@dataclass(frozen=True, slots=True)
class Failure:
    """One job run that ended badly; times are ISO 8601 in UTC.

    `number` counts the failures of the case, from 1. `is_done` says that what was decided is under way: the
    retry is queued or the intervention open, and people will hear of it. `claimed_at` is when somebody began
    to resume the run, `resumed_run_id` the run that came of it.
    """

    job_name: str
    job_run_id: str
    run_id: str
    step: str
    state: str
    error: str
    ended_at: str
    decision: Decision
    number: int
    resume_at: str | None = None
    is_done: bool = False
    claimed_at: str | None = None
    resumed_run_id: str | None = None

    def is_settled(self, now: datetime) -> bool:
        """Whether nothing is left to do about it: not if its retry should have come long since."""
        is_waiting = self.decision is Decision.RETRY and self.resume_at and not self.resumed_run_id
        is_late = is_waiting and now > datetime.fromisoformat(self.resume_at or "") + _OVERDUE_AFTER
        return self.is_done and not is_late


@dataclass(frozen=True, slots=True)
class Case:
    """`first_run_id` is the run that the case began with; what is told of the case is told once for it.

    `verdict` is the gate's, if that is what the case began with. `intervention_run_id` names the open
    intervention. `closed_at` is when a version of the file was published last; older failures are no news.
    """

    dataset: str
    batch_date: str
    version_id: str
    landed_at: str
    first_run_id: str
    is_open: bool = True
    closed_at: str | None = None
    verdict: str | None = None
    intervention_run_id: str | None = None
    failures: tuple[Failure, ...] = ()

    @classmethod
    def of(cls, properties: Mapping[str, str], first_run_id: str) -> Self:
        """Nothing has happened yet. `properties` is what the workflow run carries (etl.batch)."""
        return cls(**{name: properties[name] for name in NAMED_BY}, first_run_id=first_run_id)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        failures = tuple(
            Failure(**{**failure, "decision": Decision(failure["decision"])})
            for failure in document["failures"]
        )
        return cls(**{**document, "failures": failures})

    def to_document(self) -> dict[str, Any]:
        return asdict(self) | {"failures": [asdict(failure) for failure in self.failures]}

    def find(self, job_run_id: str) -> Failure | None:
        return next((failure for failure in self.failures if failure.job_run_id == job_run_id), None)

    def add(
        self,
        ended: Ended,
        run_id: str,
        step: str,
        ended_at: datetime,
        policy: RetryPolicy,
        now: datetime,
        chance: float,
    ) -> Self:
        """With the failure and what is decided about it; the same case if it is known, or no news."""
        is_old = self.closed_at and ended_at <= datetime.fromisoformat(self.closed_at)
        if is_old or self.find(ended.job_run_id):
            return self
        case = self if self.is_open else replace(self, is_open=True, failures=(), first_run_id=run_id)
        number = len(case.failures) + 1
        decision = case._decide(ended.outlook, policy)
        wait = timedelta(seconds=policy.delay_seconds(case.retries + 1, chance))
        failure = Failure(
            job_name=ended.job_name,
            job_run_id=ended.job_run_id,
            run_id=run_id,
            step=step,
            state=ended.state,
            error=ended.error,
            ended_at=ended_at.isoformat(),
            decision=decision,
            number=number,
            resume_at=(now + wait).isoformat() if decision is Decision.RETRY else None,
        )
        return replace(case, failures=(*case.failures, failure))

    @property
    def retries(self) -> int:
        return sum(failure.decision is Decision.RETRY for failure in self.failures)

    def _decide(self, outlook: Outlook, policy: RetryPolicy) -> Decision:
        if outlook is Outlook.STOPPED:
            return Decision.TOLD
        if self.intervention_run_id or outlook is Outlook.HOPELESS or self.retries >= policy.attempts:
            return Decision.HUMAN  # also when somebody is at work on it: they try again by themselves
        return Decision.RETRY

    def change_failure(self, job_run_id: str, **changes: Any) -> Self:
        failures = (replace(f, **changes) if f.job_run_id == job_run_id else f for f in self.failures)
        return replace(self, failures=tuple(failures))

    def judge(self, verdict: str, first_run_id: str) -> Self:
        """With the gate's verdict against the batch."""
        if self.is_open:
            return replace(self, verdict=verdict)
        return replace(self, is_open=True, failures=(), first_run_id=first_run_id, verdict=verdict)

    def close(self, now: datetime) -> Self:
        return replace(self, is_open=False, closed_at=now.isoformat(), verdict=None, intervention_run_id=None)


def case_folder(dataset: str, batch_date: str) -> str:
    return f"operations/cases/{dataset}/{batch_date}/"


def case_key(dataset: str, batch_date: str, version_id: str) -> str:
    return f"{case_folder(dataset, batch_date)}{version_id}.json"
