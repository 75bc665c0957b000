"""The ledger of the batches that a table has taken."""

from etl.tables.ledger import add_marks, holds, ledger_to_text, parse_ledger
from etl.tables.table import BATCH_ID, RUN_ID, STAGED_SHA256


def marks(batch: str = "b", staged: str = "s", run: str = "r") -> dict[str, str]:
    return {BATCH_ID: batch, STAGED_SHA256: staged * 64, RUN_ID: f"wr_{run * 64}"}


def test_a_batch_is_known_by_its_rows_and_its_run():
    """All marks that are asked for must be those of one batch; a run is asked for or not."""
    ledger = add_marks((), [marks("one", "1", "a"), marks("two", "2", "b")])

    assert holds(ledger, marks("one", "1", "a"))
    assert holds(ledger, {BATCH_ID: "two", STAGED_SHA256: "2" * 64})
    assert not holds(ledger, marks("one", "2", "a"))
    assert not holds(ledger, marks("one", "1", "b"))
    assert not holds(ledger, {BATCH_ID: "three"})


def test_a_ledger_comes_back_from_its_property():
    """Text and ledger tell the same, and a table without the property has an empty one."""
    ledger = add_marks((), [marks("one"), marks("two")])

    assert parse_ledger(ledger_to_text(ledger)) == ledger
    assert parse_ledger(None) == ()


def test_a_batch_stands_in_the_ledger_once():
    """Adding what is known changes nothing, and a snapshot without a batch (a compaction) adds nothing."""
    ledger = add_marks((), [marks("one"), marks("two")])

    assert add_marks(ledger, [marks("one"), {"operation": "replace"}]) == ledger


def some_marks(count: int) -> list[dict[str, str]]:
    return [marks(f"employee-2026-11-24-{number:016x}") for number in range(count)]


def test_the_ledger_has_bounds():
    """The property takes the newest 500 batches, which fit into a Glue parameter ten times over."""
    ledger = add_marks((), some_marks(501))
    text = ledger_to_text(ledger)

    assert parse_ledger(text) == ledger[1:]
    assert len(text) < 51_200


def test_what_the_ledger_has_no_room_for_never_comes_back_as_new():
    """With more snapshots than the ledger takes, all are known, and it changes by what is new alone."""
    summaries = some_marks(700)
    kept = parse_ledger(ledger_to_text(add_marks((), summaries)))
    known = add_marks(kept, summaries)
    again = parse_ledger(ledger_to_text(known))
    one_more = parse_ledger(ledger_to_text(add_marks(kept, [*summaries, marks("new")])))

    assert all(holds(known, summary) for summary in summaries)
    assert again == kept
    assert one_more[:-1] == kept[1:]
