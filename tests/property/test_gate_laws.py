"""The laws of judging, whatever failed."""

import numpy as np
import pyarrow as pa
from builders import an_outcome
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.outcome import REQUIRED_IS_NULL, Severity
from etl.run_report import Verdict
from etl.steps.gate import Judgement, judge
from etl.steps.quarantine import keep_passed_rows

QUICK = settings(max_examples=60)
ROWS = 12

positions = st.sets(st.integers(0, ROWS - 1))
blames = st.lists(st.tuples(st.sampled_from(Severity), positions), min_size=1, max_size=5)
Blames = list[tuple[Severity, set[int]]]


def judged(blamed: Blames, incomplete: set[int], percent: float = 100) -> Judgement:
    return judge(
        [an_outcome(f"e{n}", sorted(rows), severity=kind) for n, (kind, rows) in enumerate(blamed)],
        rows_read=ROWS,
        rows_unparsable=0,
        incomplete={REQUIRED_IS_NULL: np.array(sorted(incomplete), np.int64)},
        max_quarantine_percent=percent,
    )


def expected_reasons(blamed: Blames, incomplete: set[int]) -> dict[int, list[str]]:
    causes = [(REQUIRED_IS_NULL, incomplete)]
    causes += [(f"e{n}", rows) for n, (kind, rows) in enumerate(blamed) if kind is Severity.WARNING]
    found = {row: [name for name, rows in causes if row in rows] for row in range(ROWS)}
    return {row: names for row, names in found.items() if names}


@QUICK
@given(blames, positions)
def test_a_row_is_rejected_for_all_that_it_failed_and_for_nothing_else(blamed: Blames, incomplete: set[int]):
    """Rejected rows stand once, in the batch's order, with their reasons in the suite's; the rest passes."""
    judgement = judged(blamed, incomplete)
    expected = expected_reasons(blamed, incomplete)
    if any(kind is Severity.CRITICAL and rows for kind, rows in blamed):
        assert (judgement.verdict, judgement.rejected.num_rows) == (Verdict.REJECTED, 0)
        return

    rows = pa.table({"row": range(ROWS)})
    kept = keep_passed_rows(rows, judgement.rejected)["row"].to_pylist()
    assert {row["position"]: row["reasons"] for row in judgement.rejected.to_pylist()} == expected
    assert judgement.rejected["position"].to_pylist() == sorted(expected)
    assert kept == [row for row in range(ROWS) if row not in expected]


@QUICK
@given(blames, positions, st.integers(0, 100))
def test_the_share_of_rejected_rows_decides(blamed: Blames, incomplete: set[int], percent: int):
    """Each row counts once towards the share that the contract allows, however much it failed."""
    if any(kind is Severity.CRITICAL and rows for kind, rows in blamed):
        return
    unusable = len(expected_reasons(blamed, incomplete))
    judgement = judged(blamed, incomplete, percent)

    assert judgement.verdict.lets_rows_pass == (100 * unusable <= percent * ROWS)
