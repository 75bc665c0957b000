"""A run's counts: every row read ended in exactly one place."""

from dataclasses import fields, replace

import pytest

from etl.errors import RowsNotConserved
from etl.run_report import RowCounts, Verdict

PLACES = [field.name for field in fields(RowCounts) if field.name != "read"]
COUNTS = RowCounts(28, *range(1, 8))


def test_counts_that_add_up():
    """The rows of all places together are the rows read."""
    COUNTS.check("b")
    assert COUNTS.accounted == 28


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("by", [-1, 1])
def test_a_row_lost_or_counted_twice(place: str, by: int):
    """One row too few or too many, anywhere, is a defect of ours and stops the run."""
    wrong = replace(COUNTS, **{place: getattr(COUNTS, place) + by})

    with pytest.raises(RowsNotConserved, match=f"28 rows were read but {28 + by} are accounted for"):
        wrong.check("b")


def test_only_two_verdicts_let_rows_pass():
    """Rejected and error never let a row pass."""
    assert {verdict for verdict in Verdict if verdict.lets_rows_pass} == {
        Verdict.PASSED,
        Verdict.PASSED_WITH_QUARANTINE,
    }
