"""The records that runs leave in the docs zone, for Athena and for people; they hold no value of a row.

Each is one line of JSON under `operations/<table>/<dataset>/<month>/`, named by its run: one that is done
again replaces its own. expectations/operations.yaml says what the fields mean; they are the columns of
the tables. Dates and times are text as Athena's JSON reader takes them, times are UTC.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Self

from etl.batch import Batch, MergeMode

RUNS, EXPECTATION_RESULTS, INTERVENTIONS = "runs", "expectation_results", "interventions"


class RunState(StrEnum):
    """How far a run came: started is one whose gate is at work, gated one that is not merged yet."""

    STARTED = "started"
    GATED = "gated"
    PUBLISHED = "published"
    REJECTED = "rejected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run; None stands for what is not known, or not yet."""

    dataset: str
    batch_date: str
    run_id: str
    batch_id: str
    trigger: str
    merge_mode: str
    landed_at: str
    state: RunState = RunState.STARTED
    attempts: int = 1
    verdict: str | None = None
    reason: str | None = None
    failed_step: str | None = None
    error: str | None = None
    failed_at: str | None = None
    gated_at: str | None = None
    published_at: str | None = None
    gate_seconds: float | None = None
    merge_seconds: float | None = None
    rows_read: int | None = None
    rows_inserted: int | None = None
    rows_updated: int | None = None
    rows_unchanged: int | None = None
    rows_skipped: int | None = None
    rows_duplicate: int | None = None
    rows_quarantined: int | None = None
    rows_unparsable: int | None = None
    conflicts: int | None = None
    expectations_met: int | None = None
    expectations_total: int | None = None
    suite_fingerprint: str | None = None
    already_committed: bool | None = None
    snapshot_id: str | None = None
    docs_uri: str | None = None

    @classmethod
    def of_batch(cls, run_id: str, batch: Batch, trigger: str, merge_mode: MergeMode) -> Self:
        """A run that has done nothing yet."""
        return cls(
            dataset=batch.dataset,
            batch_date=str(batch.batch_date),
            run_id=run_id,
            batch_id=batch.batch_id,
            trigger=trigger,
            merge_mode=merge_mode,
            landed_at=as_timestamp(batch.landed_at),
        )

    @classmethod
    def of_properties(cls, run_id: str, properties: Mapping[str, str]) -> Self:
        """The same from what the workflow run carries (etl.batch.to_run_properties)."""
        return cls(
            dataset=properties["dataset"],
            batch_date=properties["batch_date"],
            run_id=run_id,
            batch_id=properties.get("batch_id", ""),
            trigger=properties.get("trigger", "unknown"),
            merge_mode=properties["merge_mode"],
            landed_at=as_timestamp(datetime.fromisoformat(properties["landed_at"])),
        )

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        return cls(**_known_fields(cls, row) | {"state": RunState(row["state"])})

    def to_row(self) -> dict[str, Any]:
        return asdict(self)

    def failed(self, step: str, error: str, attempts: int, at: datetime) -> Self:
        """After an attempt, the `attempts`-th, that ended badly, unless more is known: what tells of failures
        comes late, and twice, and of rejected batches too."""
        is_rejection = self.state is RunState.REJECTED and attempts == self.attempts
        if self.state is RunState.PUBLISHED or attempts < self.attempts or is_rejection:
            return self
        return replace(
            self,
            state=RunState.FAILED,
            attempts=attempts,
            failed_step=step,
            error=error,
            failed_at=as_timestamp(at),
        )

    def resumed_as(self, run_id: str) -> Self:
        """The run that takes this one up again: it knows what was found out so far."""
        state = RunState.GATED if self.gated_at else RunState.STARTED
        forgotten = dict.fromkeys(("failed_step", "error", "failed_at"))
        return replace(self, run_id=run_id, state=state, attempts=self.attempts + 1, **forgotten)

    def went_on(self, **known: Any) -> Self:
        """After a step that came to its end: what had failed before it did not in the end."""
        if self.state is RunState.FAILED:
            known |= {"attempts": self.attempts + 1, "failed_step": None, "error": None, "failed_at": None}
        return replace(self, **known)


@dataclass(frozen=True, slots=True)
class ExpectationRecord:
    """What one expectation found in one run."""

    dataset: str
    batch_date: str
    run_id: str
    batch_id: str
    expectation: str
    expectation_type: str
    columns: tuple[str, ...]
    severity: str
    is_row_level: bool
    success: bool
    rows_judged: int
    rows_failed: int
    percent_failed: float
    error: str | None
    suite_fingerprint: str
    gated_at: str


def record_key(table: str, dataset: str, batch_date: date | str, run_id: str) -> str:
    """Where the records of one run lie; Terraform gives the tables the same folders as partitions."""
    return f"{dataset_folder(table, dataset)}{str(batch_date)[:7]}/{run_id}.json"


def dataset_folder(table: str, dataset: str) -> str:
    return f"operations/{table}/{dataset}/"


def to_lines(records: Iterable[RunRecord | ExpectationRecord]) -> str:
    return "".join(json.dumps(asdict(record)) + "\n" for record in records)


def as_timestamp(moment: datetime) -> str:
    """Text that Hive's JSON reader takes for a timestamp, and that sorts by time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def from_timestamp(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _known_fields(cls: type, row: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a later version are left out."""
    return {f.name: row[f.name] for f in fields(cls) if f.name in row}
