"""Quarantine: what is kept of a row that may not enter the table."""

from datetime import datetime, timedelta
from io import BytesIO

import pyarrow as pa
from builders import NOON, a_batch, a_contract, a_csv, the_quarantine_columns

from etl.contract import Column
from etl.steps.gate import REJECTED
from etl.steps.quarantine import collect_quarantine, join_earlier, keep_passed_rows
from etl.steps.read_csv import ReadRows, read_rows

TOMORROW = NOON + timedelta(days=1)


def rejecting(reasons: dict[int, list[str]]) -> pa.Table:
    return pa.table([list(reasons), list(reasons.values())], schema=REJECTED)


def a_file_with_two_bad_rows() -> ReadRows:
    lines = ["name,age", '"Zoë\nN",230', "short", "Ann,1", "Bob,x", "Carl,-1"]
    return read_rows(BytesIO(a_csv(*lines)), "k", a_contract(name="string", age="bigint"))


def collected(
    read: ReadRows, reasons: dict[int, list[str]], columns: tuple[Column, ...] | None = None
) -> pa.Table:
    columns = columns or the_quarantine_columns()
    return collect_quarantine(read, rejecting(reasons), a_batch(), "wr_1", "f00", NOON, columns)


def test_rejected_and_unparsable_rows_are_kept_as_received():
    """Every row set aside is there once, in the file's order, with text, line, kind and reasons."""
    read = a_file_with_two_bad_rows()
    kept = collect_quarantine(
        read,
        rejecting({0: ["age"], 2: ["age", "x"]}),
        a_batch(),
        "wr_1",
        "f00",
        NOON,
        the_quarantine_columns(),
    )

    assert kept.select(["line_number", "kind", "reasons", "row_text"]).to_pylist() == [
        {"line_number": 2, "kind": "rejected", "reasons": ["age"], "row_text": '"Zoë\nN",230'},
        {
            "line_number": 4,
            "kind": "unparsable",
            "reasons": ["1 fields where the header has 2"],
            "row_text": "short",
        },
        {"line_number": 6, "kind": "unparsable", "reasons": ["age is no bigint"], "row_text": "Bob,x"},
        {"line_number": 7, "kind": "rejected", "reasons": ["age", "x"], "row_text": "Carl,-1"},
    ]


def test_a_row_in_quarantine_says_where_it_came_from():
    """Dataset, batch, object version, run, suite and time are on every row, as the table has them."""
    columns = the_quarantine_columns()
    kept = collected(a_file_with_two_bad_rows(), {}, columns)

    assert kept.schema.names == [column.name for column in columns]
    assert kept.schema.types == [column.arrow_type for column in columns]
    assert kept.to_pylist()[0] | {"line_number": 0, "kind": "", "reasons": [], "row_text": ""} == {
        "dataset": "employee",
        "batch_id": a_batch().batch_id,
        "batch_date": a_batch().batch_date,
        "object_key": a_batch().key,
        "object_version": "v1",
        "run_id": "wr_1",
        "suite_fingerprint": "f00",
        "quarantined_at": datetime(2026, 11, 24, 12),
        "line_number": 0,
        "kind": "",
        "reasons": [],
        "row_text": "",
    }


def test_nothing_to_set_aside_is_an_empty_table():
    """A clean batch has an empty quarantine with the same columns."""
    read = read_rows(BytesIO(a_csv("name,age", "Zoë,1")), "k", a_contract(name="string", age="bigint"))
    kept = collected(read, {})

    assert (kept.num_rows, kept.num_columns) == (0, len(the_quarantine_columns()))


def test_rows_either_pass_or_are_set_aside():
    """The rows that pass are exactly those without a reason, in their order."""
    rows = a_file_with_two_bad_rows().rows

    assert keep_passed_rows(rows, rejecting({0: ["age"], 2: ["age"]}))["name"].to_pylist() == ["Ann"]
    assert keep_passed_rows(rows, rejecting({})) == rows


def test_columns_nobody_writes_are_null():
    """A column more in quarantine.yaml does not stop the gate: it is null until the code knows it."""
    columns = (*the_quarantine_columns(), Column("remark", "string", False, None, ""))
    kept = collected(a_file_with_two_bad_rows(), {}, columns)

    assert kept["remark"].to_pylist() == [None, None]
    assert all(kept[column.name].null_count == 0 for column in the_quarantine_columns())


def test_a_row_that_fails_again_is_in_quarantine_since_it_first_was():
    """Judged again it is one row, with reasons of now and the time of then; what passes is told by line."""
    read = a_file_with_two_bad_rows()
    earlier = collected(read, {0: ["age"], 2: ["age"]})
    later = collect_quarantine(
        read, rejecting({0: ["height"]}), a_batch(), "wr_2", "f01", TOMORROW, the_quarantine_columns()
    )
    rows, passing = join_earlier(later, earlier)
    facts = ("line_number", "run_id", "reasons", "quarantined_at")
    noon = NOON.replace(tzinfo=None)

    assert passing == (7,)
    assert [tuple(row[name] for name in facts) for row in rows.to_pylist() if row["kind"] == "rejected"] == [
        (2, "wr_2", ["height"], noon),
        (7, "wr_1", ["age"], noon),
    ]
    assert join_earlier(later, rows)[0].num_rows == rows.num_rows
