"""What is usual: the median of the last accepted batches of earlier dates, within the contract's band."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from builders import NOON, TODAY, a_batch, a_contract
from builders import an_accepted_batch as accepted

from etl.contract import Contract
from etl.custom_properties import HistoryBand
from etl.errors import HistoryInvalid
from etl.steps.history import (
    AcceptedBatch,
    add_to_history,
    describe_batch,
    history_to_json,
    parse_history,
    usual_figures,
    usual_names,
)


def a_band(**changes: Any) -> HistoryBand:
    band = {"batches": 3, "rowCountBandPercent": 10, "nullRateBandPoints": 5}
    return HistoryBand.model_validate(band | changes)


def comparing(**changes: Any) -> Contract:
    return replace(a_contract(name="string", age="bigint"), history=a_band(**changes))


def usual(*history: AcceptedBatch, on: date = TODAY, **changes: Any) -> dict[str, Any]:
    return usual_figures(history, comparing(**changes), on)


def usual_rows(*history: AcceptedBatch, **changes: Any) -> tuple[Any, Any]:
    figures = usual(*history, **changes)
    return figures["usual_rows_min"], figures["usual_rows_max"]


def test_the_usual_is_a_band_around_the_median():
    """One odd batch among the last ones moves neither the rows nor the nulls that are usual."""
    figures = usual(accepted(3, 100, 10), accepted(2, 1_000_000, 999_999), accepted(1, 110, 22))

    assert figures == {
        "usual_rows_min": 99,
        "usual_rows_max": 121,
        "usual_non_null_min_name": 0.75,
        "usual_non_null_min_age": 0.95,
    }
    assert [type(figures[f"usual_rows_{end}"]) for end in ("min", "max")] == [int, int]


def test_only_the_last_batches_count():
    """What lies further back than the contract looks is forgotten."""
    long_ago = [accepted(days, 7) for days in range(4, 30)]

    assert usual_rows(*long_ago, accepted(3), accepted(2), accepted(1)) == (
        90,
        110,
    )


def test_only_earlier_dates_count():
    """A batch is compared neither with itself, nor with another file of its date, nor with a later date."""
    history = (
        accepted(1),
        accepted(0, 7),
        accepted(0, 8, version=1),
        accepted(-1, 9),
    )

    assert usual_rows(*history) == (90, 110)
    assert usual_rows(*history, on=TODAY - timedelta(1)) == (None, None)


def test_a_date_counts_once_with_its_last_file():
    """A file that was sent anew replaces the one before it also in what is usual."""
    sent_thrice = (
        accepted(1, 7),
        accepted(1, 400, version=2),
        accepted(1, 8, version=1),
    )

    assert usual_rows(accepted(2, 200), *sent_thrice) == (270, 330)


@pytest.mark.parametrize(("known", "least"), [(0, 1), (2, 3)])
def test_without_enough_history_anything_is_usual(known: int, least: int):
    """None is a bound that GX leaves out, so a first batch meets whatever is stated about the usual."""
    figures = usual(*(accepted(days) for days in range(1, known + 1)), minBatches=least)

    assert set(figures.values()) == {None}
    assert figures.keys() == usual_names(comparing())


def test_a_new_column_has_no_usual_yet():
    """Batches from before a column was in the contract say nothing of its nulls; their rows count."""
    before = replace(accepted(1), null_counts={"age": 3})
    figures = usual(before)

    assert (figures["usual_non_null_min_name"], figures["usual_non_null_min_age"]) == (None, 0.92)
    assert figures["usual_rows_min"] == 90


def test_a_batch_without_rows_has_no_share_of_nulls():
    """Nothing is divided by zero."""
    assert usual(accepted(1, rows=0))["usual_non_null_min_name"] is None


def test_a_share_is_never_below_nothing():
    """With more nulls than the band leaves over, any share will do."""
    assert usual(accepted(1, 100, 99))["usual_non_null_min_name"] == 0


def test_a_contract_without_history_supplies_nothing():
    """Without a band there is no usual."""
    assert usual_figures([accepted(1)], replace(comparing(), history=None), TODAY) == {}


def test_names_that_gx_would_take_for_a_formula_are_not_supplied():
    """A column such as pay-grade gets no parameter: GX would subtract."""
    contract = replace(a_contract(**{"id": "string", "pay-grade": "bigint"}), history=a_band())

    assert usual_names(contract) == {"usual_rows_min", "usual_rows_max", "usual_non_null_min_id"}


def test_a_batch_is_described_by_counts():
    """Rows and nulls of the contract's columns; a column more, whose name is the sender's, is left out."""
    described = describe_batch(a_batch(), 3, {"name": 2, "age": 1, "Canary": 0}, comparing())

    assert described == AcceptedBatch(a_batch().batch_id, TODAY, NOON, 3, {"name": 2, "age": 1})
    assert "Canary" not in json.dumps(history_to_json([described]))


def test_a_history_survives_being_written():
    """What is read is what was written; no document is no history."""
    history = (accepted(2), accepted(1, 5, 4))

    assert parse_history(json.loads(json.dumps(history_to_json(history))), "s3://x") == history
    assert parse_history(None, "s3://x") == ()


@pytest.mark.parametrize(
    "document",
    [{}, "Zoë", [{"rows": 1}], [history_to_json([accepted(1)])[0] | {"rows": -1}], [None], 0],
)
def test_a_history_that_is_none_is_an_error(document: Any):
    """Figures that cannot be trusted are not guessed; the message says where, and quotes nothing."""
    with pytest.raises(HistoryInvalid, match=r"s3://x: not a history of batches .* delete it") as caught:
        parse_history(document, "s3://x")

    assert "Zoë" not in str(caught.value)


def test_the_history_does_not_grow_without_end():
    """The oldest dates go first; a year of days stays."""
    history: tuple[AcceptedBatch, ...] = ()
    for days in range(500):
        history = add_to_history(history, accepted(days))

    assert len(history) == 400
    assert (history[0].batch_date, history[-1].batch_date) == (TODAY - timedelta(399), TODAY)
