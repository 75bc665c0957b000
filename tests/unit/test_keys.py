"""Keys as they compare, and hashes of rows."""

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest

from etl.key import Key, KeyCase
from etl.steps.keys import hash_rows, key_names, normalise_key


def compared(*values: str | None, case: KeyCase = KeyCase.SENSITIVE) -> list[str | None]:
    return normalise_key(pa.table({"a": pa.array(values, pa.string())}), Key(("a",), case))["k0"].to_pylist()


@pytest.mark.parametrize(
    "written",
    [
        "Zoe\u0308 Nu\u0301n\u0303ez",
        "  Zoë Núñez\t",
        "Zoë \n Núñez",
        "Zoë\u00a0Núñez",
        "Zoë\u2003\u3000Núñez",
        "\x0bZoë\x85Núñez",
    ],
)
def test_one_name_written_in_several_ways(written: str):
    """Unicode's composed and decomposed forms are one, and so is white space of any kind and amount."""
    assert compared(written) == compared("Zoë Núñez")


@pytest.mark.parametrize(
    ("one", "other"), [("Zoë", "zoë"), ("Zoë", "Zoe"), ("JeanLuc", "Jean Luc"), ("", None), ("1", "１")]
)
def test_names_that_stay_apart(one: str, other: str | None):
    """Case, diacritics, inner spaces and width are not folded, and empty is not null."""
    assert compared(one) != compared(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann", "ANN"),
        ("Zoë", "ZOE\u0308"),
        ("straße", "STRASSE"),
        ("ΌΣΟΣ", "όσος"),
        ("ﬁt", "FIT"),
        ("Ⴀ", "ⴀ"),
    ],
)
def test_names_that_differ_in_case(one: str, other: str):
    """Where the contract leaves case out, one name in capitals is the same key, by Unicode's full folding."""
    assert len({*compared(one, other, case=KeyCase.INSENSITIVE)}) == 1
    assert len({*compared(one, other)}) == 2


@pytest.mark.parametrize(("one", "other"), [("Zoë", "Zoe"), ("ı", "i"), ("JeanLuc", "jean luc"), ("", None)])
def test_names_that_stay_apart_without_case(one: str, other: str | None):
    """Leaving case out folds neither diacritics nor the dotless i, and empty is still not null."""
    assert len({*compared(one, other, case=KeyCase.INSENSITIVE)}) == 2


def test_keys_keep_their_order_and_other_types():
    """Key columns come out as k0, k1, … in key order; what is no text stays as it is."""
    rows = pa.table({"a": [" x "], "b": [7], "c": [date(2026, 1, 1)]})

    assert normalise_key(rows, Key(("c", "a", "b"))).to_pylist() == [
        {"k0": date(2026, 1, 1), "k1": "x", "k2": 7}
    ]
    assert key_names(["c", "a", "b"]) == ["k0", "k1", "k2"]


def hashes(*rows: tuple[str | None, ...]) -> list[str]:
    columns = {f"c{i}": pa.array(values, pa.string()) for i, values in enumerate(zip(*rows, strict=True))}
    return hash_rows(pa.table(columns), list(columns)).to_pylist()


def test_different_rows_never_read_alike():
    """Values that run together, look like lengths or separators, are null or empty, hash apart."""
    rows = [("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc"), (None, "abc"), ("abc", None), ("", None)]
    rows += [(None, ""), (None, None), ("", ""), ("-", ""), ("-", "-"), ("1:a", "b"), ("1", ":ab"), ("é", "")]

    assert len(set(hashes(*rows))) == len(rows)


def test_equal_rows_hash_alike_wherever_they_stand():
    """A hash depends on the row's values alone, and comes in the order of the rows."""
    first, second, third = hashes(("Zoë", "1"), ("Ann", "2"), ("Zoë", "1"))

    assert first == third != second
    assert hashes(("Ann", "2")) == [second]
    assert len(first) == 32


def test_hash_tells_values_that_look_alike_apart():
    """White space and Unicode form count: stored values are as received, so a change of them is a change."""
    assert len(set(hashes(("Zoë",), ("Zoe\u0308",), ("Zoë ",)))) == 3


def test_rows_of_every_type_have_a_hash():
    """All types a contract can have are hashed; of no rows there are no hashes."""
    same = {"b": [Decimal("1.50")] * 2, "c": [date(2026, 1, 1)] * 2, "d": [True] * 2}
    rows = pa.table({"a": [1, None], **same})

    assert len(set(hash_rows(rows, rows.column_names).to_pylist())) == 2
    assert hash_rows(rows.slice(0, 0), rows.column_names).to_pylist() == []


def test_column_names_are_never_code():
    """A column whose name holds quotes is a column."""
    rows = pa.table({'a"; DROP': ["x", "y"]})

    assert len(set(hash_rows(rows, rows.column_names).to_pylist())) == 2


def test_a_new_column_changes_only_the_rows_that_have_it():
    """A row without a value in the columns that a batch brought along has the hash that it had before."""
    rows = pa.table({"a": ["x", "x", "x"], "desk": [None, "7", None], "city": [None, None, "7"]})
    plain = hash_rows(rows, ["a"]).to_pylist()
    hashed = hash_rows(rows, ["a"], ["desk", "city"]).to_pylist()

    assert hashed[0] == plain[0]
    assert len({*hashed, plain[1]}) == 3
    assert hashed == hash_rows(rows, ["a"], ["city", "desk"]).to_pylist()


def test_new_columns_never_read_like_others():
    """Names and values of new columns cannot run together to look like another row's."""
    rows = pa.table(
        {"a": ["x", "x+1:b1:y", "x", "x"], "b": ["y", None, None, "y+1:c1:z"], "c": [None, None, "y", None]}
    )
    more = pa.table({"a": ["x"], "b": ["y"], "c": ["z"]})

    assert (
        len(
            {*hash_rows(rows, ["a"], ["b", "c"]).to_pylist(), *hash_rows(more, ["a"], ["b", "c"]).to_pylist()}
        )
        == 5
    )
