"""Outcomes + policy → verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.contract import Contract
from etl.outcome import ExpectationOutcome, Severity
from etl.run_report import Verdict
from etl.steps.read_csv import ReadRows

REQUIRED_IS_NULL = "required_value_missing"


@dataclass(frozen=True, slots=True)
class Judgement:
    """`reasons` maps the position of each row to quarantine to the names of what it failed.

    It is empty unless the verdict lets rows pass. `failed` are all expectations that failed, `warnings` those
    among them that people are told of though no row can be blamed; `problems` are why a check broke.
    """

    verdict: Verdict
    reason: str | None
    reasons: dict[int, tuple[str, ...]] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def judge(
    outcomes: Sequence[ExpectationOutcome],
    *,
    rows_read: int,
    rows_unparsable: int,
    incomplete_rows: Sequence[int],
    max_quarantine_percent: float,
) -> Judgement:
    """The gate's policy. Fails closed: no outcome, or one that broke, is an error and never a pass."""
    problems = tuple(f"{o.name}: {o.error}" for o in outcomes if o.error is not None)
    if not outcomes:
        problems = ("no expectation was evaluated",)
    if problems:
        return Judgement(Verdict.ERROR, "the check itself broke", problems=problems)
    failing = [o for o in outcomes if not o.success]
    failed = tuple(o.name for o in failing)
    critical = [o.name for o in failing if o.severity is Severity.CRITICAL]
    setting_aside = [o for o in failing if o.severity is Severity.WARNING and o.is_row_level]
    warnings = tuple(o.name for o in failing if o.severity is Severity.WARNING and not o.is_row_level)
    if critical:
        reason = f"critical expectations failed: {', '.join(critical)}"
        return Judgement(Verdict.REJECTED, reason, failed=failed, warnings=warnings)
    reasons: dict[int, tuple[str, ...]] = {int(row): (REQUIRED_IS_NULL,) for row in incomplete_rows}
    for outcome in setting_aside:
        for row in outcome.failed_rows.tolist():
            reasons[row] = (*reasons.get(row, ()), outcome.name)
    unusable = len(reasons) + rows_unparsable
    percent = 100 * unusable / rows_read if rows_read else 0.0
    if percent > max_quarantine_percent:
        reason = (
            f"{unusable} of {rows_read} rows ({percent:.1f} %) cannot be used, "
            f"more than the {max_quarantine_percent:g} % the contract allows"
        )
        return Judgement(Verdict.REJECTED, reason, failed=failed, warnings=warnings)
    verdict = Verdict.PASSED_WITH_QUARANTINE if unusable else Verdict.PASSED
    return Judgement(verdict, None, dict(sorted(reasons.items())), failed, warnings)


def judge_rows(outcomes: Sequence[ExpectationOutcome], read: ReadRows, contract: Contract) -> Judgement:
    """The gate's policy over the rows of a file, with the contract's figures."""
    return judge(
        outcomes,
        rows_read=read.count,
        rows_unparsable=len(read.unparsable),
        incomplete_rows=find_incomplete_rows(read.rows, contract),
        max_quarantine_percent=contract.max_quarantine_percent,
    )


def find_incomplete_rows(rows: pa.Table, contract: Contract) -> list[int]:
    """Positions of the rows without a value the contract requires; no suite can let such a row pass.

    Key columns are required in every contract, so no row without a whole key gets into a table.
    """
    incomplete = np.zeros(rows.num_rows, bool)
    for column in contract.columns:
        if column.required:
            incomplete |= pc.is_null(rows[column.name]).to_numpy(zero_copy_only=False)
    return np.flatnonzero(incomplete).tolist()
