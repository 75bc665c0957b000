"""The laws of what is usual, over any history."""

import json
from dataclasses import replace
from random import Random

from builders import a_contract, an_accepted_batch
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.contract import Contract
from etl.custom_properties import HistoryBand
from etl.steps.history import AcceptedBatch, add_to_history, history_to_json, parse_history, usual_figures

QUICK = settings(max_examples=60)

batches = st.builds(an_accepted_batch, st.integers(0, 5), rows=st.integers(0, 50), version=st.integers(0, 3))
histories = st.lists(batches, max_size=12)


def comparing() -> Contract:
    band = {"batches": 3, "rowCountBandPercent": 10, "nullRateBandPoints": 5}
    contract = a_contract(name="string", age="bigint")
    return replace(contract, history=HistoryBand.model_validate(band))


def remembered(known: list[AcceptedBatch]) -> tuple[AcceptedBatch, ...]:
    history: tuple[AcceptedBatch, ...] = ()
    for one in known:
        history = add_to_history(history, one)
    return history


@QUICK
@given(histories, batches)
def test_a_batch_is_remembered_once(known: list[AcceptedBatch], new: AcceptedBatch):
    """However often it is judged, a batch has one entry, the latest; entries stand in the order of dates."""
    once = add_to_history(remembered(known), new)

    assert add_to_history(once, new) == once
    assert [one for one in once if one.batch_id == new.batch_id] == [new]
    assert list(once) == sorted(once, key=lambda one: (one.batch_date, one.landed_at))
    assert parse_history(json.loads(json.dumps(history_to_json(once))), "s3://x") == once


@QUICK
@given(histories, st.randoms())
def test_the_order_of_judging_does_not_matter(known: list[AcceptedBatch], random: Random):
    """Batches that are judged side by side, or backfilled, leave the same history."""
    distinct = list({one.batch_id: one for one in known}.values())
    shuffled = distinct.copy()
    random.shuffle(shuffled)

    assert remembered(shuffled) == remembered(distinct)


@QUICK
@given(histories, batches)
def test_a_batch_is_never_compared_with_itself(known: list[AcceptedBatch], new: AcceptedBatch):
    """What is usual for a date does not change when a batch of that date, or of a later one, is accepted."""
    without = usual_figures(known, comparing(), new.batch_date)

    assert usual_figures([*known, new], comparing(), new.batch_date) == without


@QUICK
@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=3))
def test_the_usual_lies_between_the_least_and_the_most(rows: list[int]):
    """The band is around a median: it reaches no further than the band around the extremes."""
    history = [an_accepted_batch(number + 1, count) for number, count in enumerate(rows)]
    figures = usual_figures(history, comparing(), an_accepted_batch(0).batch_date)

    assert 90 * min(rows) / 100 - 1 < figures["usual_rows_min"] <= 90 * max(rows) / 100
    assert 110 * min(rows) / 100 <= figures["usual_rows_max"] < 110 * max(rows) / 100 + 1
