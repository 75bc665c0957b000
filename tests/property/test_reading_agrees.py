"""The fast ways of reading are as good as a slow one: same rows, lines, texts and rejects, for any file."""

import gzip
import io
from collections.abc import Sequence
from typing import Any

import pytest
from builders import a_contract
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference_reader import reference_read

from etl.contract import Contract
from etl.errors import FileRejected
from etl.steps.read_csv import read_rows

pytestmark = pytest.mark.slow

THOROUGH = settings(max_examples=400)
CONTRACTS = [
    a_contract(a="string"),
    a_contract(a="bigint"),
    a_contract(a="string", b="string"),
    a_contract(a="string", b="bigint"),
    a_contract(a="bigint", b="string", c="date"),
]
KINDS = ["bigint", "double", "decimal(6,2)", "date", "timestamp", "boolean"]


def fast_read(content: bytes, contract: Contract, block_bytes: int, key: str = "k") -> dict[str, Any] | str:
    try:
        read = read_rows(io.BytesIO(content), key, contract, block_bytes)
    except FileRejected as error:
        return error.problem
    lines, counts = read.line_numbers.tolist(), read.line_counts.tolist()
    texts = read.texts_of(range(read.rows.num_rows))
    return {
        "rows": [tuple(row.values()) for row in read.rows.to_pylist()],
        "places": list(zip(lines, counts, texts, strict=True)),
        "aside": [(row.line_number, row.reason, row.text) for row in read.unparsable],
    }


pieces = st.sampled_from(
    [
        *('"', '"', '""', ",", ",", "\n", "\n", "\r\n", "\r", '"b"', '",', ',"', '"\n', '\n"'),
        *("a", "é", " ", "7", "-", "0", "2026-11-24", "\ufeff", "\u2028", "\v"),
    ]
)
block_sizes = st.integers(1, 40)


@THOROUGH
@given(st.sampled_from(CONTRACTS), st.lists(pieces, max_size=40), block_sizes)
@example(CONTRACTS[1], ["\n", "007\n"], 40)
@example(CONTRACTS[3], ["\n", "a,07\n"], 40)  # one octet too many, one delimiter too few
@example(CONTRACTS[2], ['",",a" \n'], 40)  # as many quotes before an end as there should be
def test_any_text_reads_as_it_does_plainly(contract: Contract, body: Sequence[str], block_bytes: int):
    """Whatever stands below the header, and wherever the blocks end."""
    content = ",".join(contract.column_names) + "\n" + "".join(body)

    expected = reference_read(content, contract)
    assert fast_read(content.encode(), contract, block_bytes) == expected
    assert fast_read(content.encode(), contract, 2**20) == expected


def a_field(value: str, quoting: int) -> str:
    """0: as it stands; 1: in quotes, as a writer does it; 2: in quotes that something is wrong with."""
    return (value, '"' + value.replace('"', '""') + '"', f'"{value}" ', f'"{value}')[quoting]


fields = st.builds(
    a_field,
    st.one_of(
        st.sampled_from(
            ["", "7", "42", "-1", "007", "1e3", "0x1", " 7", "2026-11-24", "2026-02-30", "x", ","]
        ),
        st.lists(st.sampled_from(["a", ",", '"', "\n", "\r\n", "é"]), max_size=4).map("".join),
    ),
    st.sampled_from([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 3]),
)
rows = st.lists(fields, min_size=1, max_size=3).map(",".join)


@THOROUGH
@given(
    st.sampled_from(CONTRACTS),
    st.lists(rows, max_size=12),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    block_sizes,
)
def test_almost_good_files_read_as_they_do_plainly(
    contract: Contract, body: list[str], end: str, is_ended: bool, block_bytes: int
):
    """Files such as people have them: some rows are ragged, some values are none, some quotes astray."""
    content = end.join([",".join(contract.column_names), *body]) + (end if is_ended else "")

    expected = reference_read(content, contract)
    assert fast_read(content.encode(), contract, block_bytes) == expected
    assert fast_read(content.encode(), contract, 2**20) == expected
    assert fast_read(gzip.compress(content.encode()), contract, block_bytes, "k.gz") == expected


odd_numbers = st.one_of(
    st.text("0123456789-+.eExX ", max_size=8),
    st.integers(-(2**64), 2**64).map(str),
    st.integers(0, 2**64).map(hex),
    st.floats().map(str),
    st.decimals(places=2, min_value=-(10**5), max_value=10**5, allow_nan=False).map(str),
    st.sampled_from(["NaN", "nan", "inf", "null", "NA", "N/A", "١٢", "1,234", "1_000", "1e400", "-0", "0.0"]),
)
odd_moments = st.one_of(
    st.dates().map(str),
    st.datetimes().map(str),
    st.datetimes().map(lambda moment: moment.isoformat("T")),
    st.text("0123456789-:T .Z+", max_size=27),
    st.builds(
        lambda moment, place, new: moment[:place] + new + moment[place + 1 :],
        st.one_of(st.datetimes().map(str), st.dates().map(str)),
        st.integers(0, 26),
        st.sampled_from(["", "0", "9", "-", ":", " ", "T", "Z", ".", "+01:00"]),
    ),
    st.sampled_from(["0000-01-01", "0001-01-01", "2026-11-24 24:00:00", "2026-11-24 23:59:60", "24.11.2026"]),
)
odd_booleans = st.sampled_from(
    ["true", "false", "True", "TRUE", "t", "1", "0", "yes", "tru", "falsee", " true"]
)
OF_KIND = {"date": odd_moments, "timestamp": odd_moments, "boolean": odd_booleans}


@settings(THOROUGH, max_examples=600)
@given(st.data(), st.sampled_from(KINDS))
def test_a_value_is_taken_as_it_stands_or_not_at_all(data: st.DataObject, kind: str):
    """What Arrow would guess, trim or round is no value; what is one is the value that Python makes of it."""
    texts = data.draw(st.lists(st.one_of(OF_KIND.get(kind, odd_numbers), st.just("")), max_size=6))
    quote = data.draw(st.sampled_from(["", '"']))
    contract = a_contract(a="string", b=kind)
    content = "a,b\n" + "".join(
        f'x,"{text}"\n' if "," in text else f"x,{quote}{text}{quote}\n" for text in texts
    )

    assert fast_read(content.encode(), contract, 2**20) == reference_read(content, contract)
