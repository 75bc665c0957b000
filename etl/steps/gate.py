"""Outcomes + policy → verdict."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.contract import Contract
from etl.outcome import KEY_IS_NULL, REQUIRED_IS_NULL, ExpectationOutcome, Severity
from etl.run_report import Verdict
from etl.steps.read_csv import ReadRows

# `position` in the rows that were judged, ascending, and the names of all that the row failed.
REJECTED = pa.schema([("position", pa.int64()), ("reasons", pa.list_(pa.string()))])


@dataclass(frozen=True, slots=True)
class Judgement:
    """`rejected` (schema REJECTED) are the rows to quarantine, each with what it failed.

    They are `rows_rejected` in number, and failed what `setting_aside` names. There are none unless the
    verdict lets rows pass; an engine that has the rows elsewhere only counts them. `failed` are all
    expectations that failed, `warnings` those among them that people are told of though no row can be blamed;
    `problems` say why a check broke.
    """

    verdict: Verdict
    reason: str | None
    rejected: pa.Table = field(default_factory=REJECTED.empty_table)
    rows_rejected: int = 0
    setting_aside: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def judge(
    outcomes: Sequence[ExpectationOutcome],
    *,
    rows_read: int,
    rows_unparsable: int,
    incomplete: Mapping[str, np.ndarray],
    max_quarantine_percent: float,
) -> Judgement:
    """The gate's policy, where the outcomes say which rows failed.

    `incomplete` has the positions of rows that no suite can let pass, by the reason.
    """
    failed_rows = {outcome.name: outcome.failed_rows for outcome in outcomes}

    def blame(names: Sequence[str]) -> Mapping[str, np.ndarray]:
        return {**incomplete} | {name: failed_rows[name] for name in names}

    judgement = decide(
        outcomes,
        rows_read=rows_read,
        rows_unparsable=rows_unparsable,
        count_rejected=lambda names: count_rows(blame(names).values(), rows_read),
        max_quarantine_percent=max_quarantine_percent,
    )
    if not judgement.verdict.lets_rows_pass:
        return judgement
    return replace(judgement, rejected=list_reasons(blame(judgement.setting_aside)))


def decide(
    outcomes: Sequence[ExpectationOutcome],
    *,
    rows_read: int,
    rows_unparsable: int,
    count_rejected: Callable[[Sequence[str]], int],
    max_quarantine_percent: float,
) -> Judgement:
    """The gate's policy. Fails closed: no outcome, or one that broke, is an error and never a pass.

    `count_rejected` tells how many rows failed one of the expectations named, or lack a value that every row
    must have.
    """
    problems = tuple(f"{o.name}: {o.error}" for o in outcomes if o.error is not None)
    if not outcomes:
        problems = ("no expectation was evaluated",)
    if problems:
        return Judgement(Verdict.ERROR, "the check itself broke", problems=problems)
    failing = [o for o in outcomes if not o.success]
    failed = tuple(o.name for o in failing)
    critical = [o.name for o in failing if o.severity is Severity.CRITICAL]
    setting_aside = tuple(o.name for o in failing if o.severity is Severity.WARNING and o.is_row_level)
    warnings = tuple(o.name for o in failing if o.severity is Severity.WARNING and not o.is_row_level)
    if critical:
        reason = f"critical expectations failed: {', '.join(critical)}"
        return Judgement(Verdict.REJECTED, reason, failed=failed, warnings=warnings)
    rows_rejected = count_rejected(setting_aside)
    unusable = rows_rejected + rows_unparsable
    percent = 100 * unusable / rows_read if rows_read else 0.0
    if percent > max_quarantine_percent:
        reason = (
            f"{unusable} of {rows_read} rows ({percent:.1f} %) cannot be used, "
            f"more than the {max_quarantine_percent:g} % the contract allows"
        )
        return Judgement(Verdict.REJECTED, reason, failed=failed, warnings=warnings)
    verdict = Verdict.PASSED_WITH_QUARANTINE if unusable else Verdict.PASSED
    return Judgement(
        verdict,
        None,
        rows_rejected=rows_rejected,
        setting_aside=setting_aside,
        failed=failed,
        warnings=warnings,
    )


def list_reasons(blamed: Mapping[str, np.ndarray]) -> pa.Table:
    """Positions (int64) of the rows by what they failed → one row of REJECTED for each position.

    Reasons stand in the order of `blamed`. In arrays throughout: of 10M rows half a million may be rejected.
    """
    positions = np.concatenate([np.empty(0, np.int64), *blamed.values()])
    causes = np.repeat(np.arange(len(blamed)), [len(rows) for rows in blamed.values()])
    order = np.argsort(positions, kind="stable")
    positions, causes = positions[order], causes[order]
    starts = np.flatnonzero(np.diff(positions, prepend=-1))
    offsets = pa.array(np.append(starts, len(positions)), pa.int32())
    names = pa.array(list(blamed), pa.string()).take(pa.array(causes))
    return pa.table([pa.array(positions[starts]), pa.ListArray.from_arrays(offsets, names)], schema=REJECTED)


def count_rows(blamed: Iterable[np.ndarray], rows_read: int) -> int:
    """How many rows are blamed for anything; of a batch that is all bad, reasons would fill the memory."""
    is_blamed = np.zeros(rows_read, bool)
    for positions in blamed:
        is_blamed[positions] = True
    return int(np.count_nonzero(is_blamed))


def judge_rows(outcomes: Sequence[ExpectationOutcome], read: ReadRows, contract: Contract) -> Judgement:
    """The gate's policy over the rows of a file, with the contract's figures."""
    return judge(
        outcomes,
        rows_read=read.count,
        rows_unparsable=len(read.unparsable),
        incomplete=find_incomplete_rows(read.rows, contract),
        max_quarantine_percent=contract.max_quarantine_percent,
    )


def find_incomplete_rows(rows: pa.Table, contract: Contract) -> dict[str, np.ndarray]:
    """Positions (int64) of the rows without a value that every row must have, by the reason."""
    incomplete = {f"{KEY_IS_NULL}: {name}": _find_nulls(rows, [name]) for name in contract.key}
    required = [c.name for c in contract.columns if c.required and c.name not in contract.key]
    return incomplete | {REQUIRED_IS_NULL: _find_nulls(rows, required)}


def _find_nulls(rows: pa.Table, names: Iterable[str]) -> np.ndarray:
    is_missing = np.zeros(rows.num_rows, bool)
    for name in names:
        is_missing |= pc.is_null(rows[name]).to_numpy(zero_copy_only=False)
    return np.flatnonzero(is_missing)
