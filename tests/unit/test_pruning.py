"""Which data files can be left out of a merge, by the bounds that Iceberg keeps of their columns."""

from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.conversions import to_bytes
from pyiceberg.types import DateType, IntegerType, LongType, PrimitiveType, StringType, TimestampType

from etl.key import Key, KeyCase
from etl.steps.keys import normalise_key
from etl.tables.pruning import WantedRanges


def may_stand_in(
    wanted: list[Any], lower: Any, upper: Any, type_: PrimitiveType, case: KeyCase = KeyCase.SENSITIVE
) -> bool:
    keys = normalise_key(pa.table({"k": pa.array(wanted)}), Key(("k",), case))
    bounds = tuple(None if value is None else to_bytes(type_, value) for value in (lower, upper))
    return WantedRanges(keys).may_stand_in([bounds])


@pytest.mark.parametrize(
    ("wanted", "lower", "upper", "type_", "may"),
    [
        ([4, 11], 5, 10, LongType(), False),
        ([4, 10], 5, 10, LongType(), True),
        ([4, 5], 5, 10, IntegerType(), True),
        ([-2], -3, -1, LongType(), True),
        ([None, 4], 1, 3, LongType(), False),
        ([date(2026, 1, 5)], date(2026, 1, 1), date(2026, 1, 4), DateType(), False),
        ([date(2026, 1, 3)], date(2026, 1, 1), date(2026, 1, 4), DateType(), True),
        ([datetime(2026, 1, 5)], datetime(2026, 1, 1), datetime(2026, 1, 4), TimestampType(), False),
        ([datetime(2026, 1, 3)], datetime(2026, 1, 1), datetime(2026, 1, 4), TimestampType(), True),
    ],
)
def test_numbers_and_times(wanted: list[Any], lower: Any, upper: Any, type_: PrimitiveType, may: bool):
    """A file is read only if a wanted value lies between its bounds, however many lie around them."""
    assert may_stand_in(wanted, lower, upper, type_) is may


@pytest.mark.parametrize(
    ("wanted", "lower", "upper", "may"),
    [
        ("ORD-2026-11-24-7", "ORD-2026-11-23-1", "ORD-2026-11-23-9", False),
        ("ORD-2026-11-23-7", "ORD-2026-11-23-1", "ORD-2026-11-23-9", True),
        ("Smith", "Adams", "Jones", False),
        ("Jönsson", "Adams", "Jones", True),  # only the first letter is proven
        ("\u00c9mile", "Eva", "Finn", True),  # may have been received as E and an accent
        ("\u00c9mile", "Fay", "Finn", False),
        ("\u00c9mile", "Fay", "\u00c9mile", True),  # bounds beyond ASCII prove nothing
        ("Ann", " Bob", "Zoe", True),  # nor do those that start with a space
        ("Ann", "\tBob", "\u3000Bob", True),
        ("Ann", "", "Bob", True),
        ("Bo", "Bob", "Bobby", False),
        ("Bob", "Bob", "Bob", True),
    ],
)
def test_text(wanted: str, lower: str, upper: str, may: bool):
    """Text is compared as far as no normalisation can have changed it, and no further."""
    assert may_stand_in([wanted], lower, upper, StringType()) is may


def test_text_without_case():
    """Bounds are of values as received; without case `BOB` may stand between `bob` and `bobby`."""
    assert may_stand_in(["BOB"], "bob", "bobby", StringType(), KeyCase.INSENSITIVE)
    assert may_stand_in(["bob"], "BOB", "Bobby", StringType(), KeyCase.INSENSITIVE)
    assert not may_stand_in(["cid"], "BOB", "Bobby", StringType(), KeyCase.INSENSITIVE)


def test_what_proves_nothing():
    """A file without a bound is read, and so is one for a type whose bounds are not looked at."""
    assert may_stand_in([1], None, 0, LongType())
    assert may_stand_in(["a"], "b", None, StringType())
    assert may_stand_in([1.5], 2, 3, LongType())


def test_all_parts_of_a_key_have_to_be_possible():
    """One key column out of its bounds is enough to leave a file out."""
    keys = normalise_key(pa.table({"on": [1, 2], "name": ["Ann", "Bob"]}), Key(("on", "name")))
    numbers = (to_bytes(LongType(), 2), to_bytes(LongType(), 2))

    assert WantedRanges(keys).may_stand_in([numbers, (b"Ann", b"Bob")])
    assert not WantedRanges(keys).may_stand_in([numbers, (b"Cid", b"Dan")])
