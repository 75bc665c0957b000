"""Runs over time, and what was usual then."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from builders import NOON, TODAY, a_batch, the_employee_contract

from etl.batch import MergeMode
from etl.operations.records import RunRecord, RunState, as_timestamp
from etl.steps.history import ROWS_MAX, ROWS_MIN, AcceptedBatch, usual_figures
from scripts.history_figures import NO_PROBE, DatasetHistory, history_of, usual_band
from scripts.history_page import nice_top, render_history

DAYS = 30
FIRST = TODAY - timedelta(days=DAYS - 1)


def a_run(ago: int, **changes: Any) -> RunRecord:
    batch = a_batch(TODAY - timedelta(days=ago), landed_at=NOON - timedelta(days=ago))
    known = {
        "state": RunState.PUBLISHED,
        "rows_read": 1000 + ago,
        "rows_quarantined": ago % 3,
        "gate_seconds": 4 + ago % 2 / 10,
        "published_at": as_timestamp(batch.landed_at + timedelta(minutes=1)),
    }
    return replace(RunRecord.of_batch(f"wr_{ago}", batch, "landed", MergeMode.UPSERT), **known | changes)


def a_history(*others: RunRecord, days: dict[str, str] | None = None, **changes: Any) -> DatasetHistory:
    runs = [a_run(ago) for ago in range(DAYS) if ago not in {_ago(run) for run in others}]
    since = as_timestamp(NOON - timedelta(days=2))
    facts = {"watched_since": since, "first": FIRST, "last": TODAY, "slots_so_far": 150} | changes
    return history_of(the_employee_contract(), [*runs, *others], days or {}, **facts)


def _ago(run: RunRecord) -> int:
    return (TODAY - date.fromisoformat(run.batch_date)).days


def test_usual_rows_are_those_of_the_gate():
    """The band is what the gate would have compared a batch of that date with, no other arithmetic."""
    (rows, *_) = a_history().series
    known = [
        AcceptedBatch(f"{ago}", TODAY - timedelta(days=ago), NOON, 1000 + ago, {}) for ago in range(DAYS)
    ]
    last = rows.points[-1]
    usual = usual_figures(known, the_employee_contract(), TODAY)

    assert (last.day, last.low, last.high) == (TODAY, usual[ROWS_MIN], usual[ROWS_MAX])


def test_an_odd_batch_is_told_and_moves_no_band():
    """Twenty gates of four seconds and one of a minute: that one is unusual, the next one is not."""
    _, aside, gate, _ = a_history(a_run(5, gate_seconds=60.0, rows_quarantined=300)).series
    assert [_days_ago(p.day) for p in gate.points if p.is_unusual] == [5]
    assert [_days_ago(p.day) for p in aside.points if p.is_unusual] == [5]


def _days_ago(day: date) -> int:
    return (TODAY - day).days


def test_values_that_never_vary_leave_some_room():
    """A band of no width would call every change unusual; and too few values tell nothing."""
    assert usual_band([4.0] * 14, lambda usual: usual / 2) == (2.0, 6.0)
    assert usual_band([0.0] * 14, lambda _: 0.5) == (0.0, 0.5)
    assert usual_band([4.0] * 4, lambda _: 1.0) == (None, None)


def test_what_was_refused_is_shown_and_is_no_value():
    """A rejected batch is not what batches usually are like; of two files for a date the last counts."""
    rejected = a_run(3, state=RunState.REJECTED, reason="too short", rows_read=9)
    corrected = a_run(3, rows_read=1500, landed_at=as_timestamp(NOON))
    history = a_history(rejected, corrected)

    assert [(r.day, r.why) for r in history.refusals] == [(TODAY - timedelta(days=3), "too short")]
    assert [p.value for p in history.series[0].points if _days_ago(p.day) == 3] == [1500]


def test_hours_that_were_not_fresh_have_their_causes():
    """A day begins with the first look at the dataset, ends now, and what nobody looked at has no probe."""
    yesterday = TODAY - timedelta(days=1)
    found = a_history(days={str(yesterday): "F" * 144 + "M" * 12 + "L" * 6 + "F" * 126}).not_fresh

    assert found[yesterday] == {"missing": 1.0, "late": 0.5}
    assert found[TODAY] == {NO_PROBE: 12.5}, "150 slots of five minutes have been"
    assert found[TODAY - timedelta(days=2)] == {NO_PROBE: 12.0}, "watched since noon"
    assert len(found) == 3


def test_the_page_needs_no_network_and_quotes_what_it_is_told():
    """All of the page is in the page, and a reason is text, whatever it holds."""
    refused = a_run(3, state=RunState.FAILED, error="<script>alert(1)</script>")
    page = render_history([a_history(refused)], "local", datetime(2026, 11, 24))

    assert page.count("<circle") == 4 * (DAYS - 1)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not [word for word in ("http:", "https:", "url(", "@import", "src=") if word in page]


def test_a_dataset_without_a_run_has_a_page():
    """Before the first batch there is nothing to draw, and nothing breaks."""
    empty = history_of(the_employee_contract(), [], {}, None, FIRST, TODAY, 0)
    assert "no batch yet" in render_history([empty], "local", datetime(2026, 11, 24))
    assert empty.fresh_summary == "no probe has looked yet"


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 1), (0.02, 0.1), (0.9, 1), (3.6, 4), (1580, 2000), (960, 2000)]
)
def test_an_axis_ends_on_a_round_figure(highest: float, top: float):
    """The highest value is below the top of its chart, and the lines between are round."""
    assert nice_top(highest) == pytest.approx(top)
