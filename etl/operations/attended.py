"""A run that somebody started and waits for: what became of its batch, as its reports tell."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Self

from etl.batch import Batch
from etl.run_report import why_in_a_line


class State(StrEnum):
    RUNNING = "running"
    DONE = "done"
    REJECTED = "rejected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AttendedRun:
    """Counts are of rows. `conflicts` differ from the table's row of their key and were left out of it;
    `already_there` are the other rows that changed nothing. `quarantined` has those that could not be read.
    `took_batch` says that the table had not taken these rows before, from a nightly run say.

    Holds no value of a row and no name of a file.
    """

    batch_id: str
    object_version: str
    run_id: str
    started_at: str
    state: State = State.RUNNING
    why: str | None = None
    docs_key: str | None = None
    rows_read: int = 0
    inserted: int = 0
    updated: int = 0
    already_there: int = 0
    conflicts: int = 0
    quarantined: int = 0
    released: int = 0
    took_batch: bool = False
    seconds: float = 0

    @classmethod
    def of(cls, batch: Batch, run_id: str, started_at: str) -> Self:
        return cls(batch.batch_id, batch.version_id, run_id, started_at)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        return cls(**{**document, "state": State(document["state"])})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def after(
        self, gate: Mapping[str, Any] | None, merge: Mapping[str, Any] | None, is_over: bool, seconds: float
    ) -> Self:
        """What is known by the run's reports; `is_over` says that none will come any more."""
        now = replace(self, seconds=round(seconds, 1))
        if gate:
            now = replace(
                now,
                docs_key=gate["docs_key"],
                rows_read=gate["rows_read"],
                quarantined=gate["rows_quarantined"] + gate["rows_unparsable"],
                why=why_in_a_line(gate["reason"], gate["problems"]),
            )
        if merge:
            counts = merge["counts"]
            return replace(
                now,
                state=State.DONE,
                rows_read=counts["read"],
                quarantined=counts["quarantined"] + counts["unparsable"],
                inserted=counts["inserted"],
                updated=counts["updated"],
                already_there=counts["unchanged"] + counts["skipped"] - merge["conflicts"],
                conflicts=merge["conflicts"],
                released=merge["released"],
                took_batch=not merge["already_committed"],
            )
        if gate and gate["verdict"] == "rejected":
            return replace(now, state=State.REJECTED)
        if gate and gate["verdict"] == "error":
            return replace(now, state=State.FAILED)
        if is_over:
            step = "merge" if now.docs_key else "gate"
            return replace(now, state=State.FAILED, why=f"the {step} job ended without a report")
        return now
