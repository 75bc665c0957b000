"""What a run did: counts that add up, the verdict, timings and the snapshot. Holds no value of any row."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from etl.errors import RowsNotConserved
from etl.schema_drift import Drift


class Verdict(StrEnum):
    PASSED = "passed"
    PASSED_WITH_QUARANTINE = "passed_with_quarantine"
    REJECTED = "rejected"
    ERROR = "error"

    @property
    def lets_rows_pass(self) -> bool:
        return self in {Verdict.PASSED, Verdict.PASSED_WITH_QUARANTINE}

    @property
    def next_step(self) -> str:
        """What people do about it, in the words of alerts and Data Docs."""
        return _NEXT_STEPS[self]


_NEXT_STEPS = {
    Verdict.PASSED: "Nothing: the merge goes on by itself.",
    Verdict.PASSED_WITH_QUARANTINE: "The merge goes on by itself with the other rows. A data steward finds "
    "those set aside, with their reasons, in the quarantine table.",
    Verdict.REJECTED: "This is not retried: bad data stays bad. Ask the sender for a corrected file; "
    "landing it under the same key starts a new run.",
    Verdict.ERROR: "Nothing is known about the data. Mend the suite or the contract, deploy, and start "
    "the workflow again for this file.",
}


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Where the rows of a batch ended.

    `skipped` rows have a key that is in the table already and must not be overwritten: the batch was
    committed before, the run is insert-only, or the table holds a newer batch's row.
    """

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    duplicates: int = 0
    quarantined: int = 0
    unparsable: int = 0

    @property
    def accounted(self) -> int:
        return sum(asdict(self).values()) - self.read

    def check(self, batch_id: str) -> None:
        """Raise RowsNotConserved unless every row read ended in exactly one place."""
        if self.accounted != self.read:
            raise RowsNotConserved(batch_id, self.read, self.accounted)


def why_in_a_line(reason: str | None, problems: Iterable[str]) -> str | None:
    """What a gate says against a batch; None if nothing."""
    return "; ".join(part for part in (reason, *problems) if part) or None


@dataclass(frozen=True, slots=True)
class GateReport:
    """The gate's half. `warnings` are expectations that failed without stopping or quarantining anything,
    `problems` say why a check broke. `docs_key` is the run's page, under the prefix of the Data Docs.
    `metrics_fast` and `metrics_fallback` count the metric values from Arrow, and from GX's pandas code.
    `usual` is what the batch was compared with (etl.steps.history.usual_figures).
    `drift` is how the file's columns differ from the contract's, as far as they could be read.
    """

    dataset: str
    batch_id: str
    batch_date: str
    run_id: str
    folder_uri: str
    object_version: str
    verdict: Verdict
    reason: str | None
    rows_read: int
    rows_passed: int
    rows_quarantined: int
    rows_unparsable: int
    expectations_met: int
    expectations_total: int
    metrics_fast: int
    metrics_fallback: int
    failed: tuple[str, ...]
    warnings: tuple[str, ...]
    problems: tuple[str, ...]
    suite_fingerprint: str
    docs_key: str
    finished_at: str
    usual: Mapping[str, int | float | None] = field(default_factory=dict)
    drift: Drift = field(default_factory=Drift)
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def why(self) -> str | None:
        return why_in_a_line(self.reason, self.problems)


@dataclass(frozen=True, slots=True)
class MergeReport:
    """The merge's half, with the counts of the whole run.

    `already_committed` says that this very batch was in the table before; `conflicts` counts rows among the
    skipped whose values differ from the table's; `conflicting_duplicates` those among the duplicates that
    differ from the row that was kept. Where keys name somebody, `splits` counts the inserted rows that may be
    somebody whom the table knows by another age, and `collisions` the keys that stand in the file with
    different values. `conflict_keys`, `split_keys` and `collision_keys` are hashes of the first of their keys
    (etl/steps/listed_keys.py). `released` counts rows that left the quarantine. `snapshot_id` is the table's
    current one after the run, and `committed` whether this run made it.
    """

    dataset: str
    batch_id: str
    run_id: str
    merge_mode: str
    counts: RowCounts
    conflicts: int
    conflicting_duplicates: int
    splits: int
    collisions: int
    already_committed: bool
    committed: bool
    snapshot_id: str
    attempts: int
    finished_at: str
    conflict_keys: tuple[str, ...] = ()
    split_keys: tuple[str, ...] = ()
    collision_keys: tuple[str, ...] = ()
    released: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
