"""Hashes that name keys: the same for the same key and secret, and good for no guess."""

import hashlib
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
from builders import some_employees

from etl.key import Key
from etl.steps.listed_keys import MOST_LISTED, hash_keys, list_keys

KEY = Key(("first_name", "last_name", "age"))
SECRET = b"drawn at random"


def hashed(*people: tuple[str, str, int], secret: bytes = SECRET) -> list[str]:
    rows = some_employees(*((*person, 1) for person in people))
    return [*hash_keys(list_keys(rows, np.arange(len(people)), KEY), secret)]


def test_one_key_has_one_hash():
    """In whatever spelling compares alike, and beside whatever other keys."""
    alone = hashed(("Zoë", "X", 30))

    assert hashed(("Ann", "X", 30), (" Zoe\u0308", "X ", 30))[1:] == alone
    assert len(alone[0]) == 32


def test_keys_that_run_together_have_different_hashes():
    """Parts do not flow into each other."""
    assert len({*hashed(("ab", "c", 1), ("a", "bc", 1), ("ab", "c1", 1), ("ab", "c", 11))}) == 4


def test_a_hash_takes_the_secret():
    """Without it nothing can be tried out: neither another secret nor none gives the hash."""
    name = ("Zoë", "X", 30)
    plain = {h(b"3:Zo\xc3\xab1:X2:30").hexdigest()[:32] for h in (hashlib.sha256, hashlib.md5, hashlib.sha1)}

    assert not {*hashed(name)} & (plain | {*hashed(name, secret=b""), *hashed(name, secret=b"drawn")})


def test_keys_of_any_type():
    """Dates, decimals, numbers and booleans are part of keys too."""
    rows = pa.table({"d": [date(2026, 1, 1)], "m": [Decimal("1.50")], "x": [0.5], "b": [True]})

    assert len([*hash_keys(list_keys(rows, np.arange(1), Key(tuple("dmxb"))), SECRET)]) == 1


def test_lists_are_bounded():
    """A run that meets millions of conflicts lists the first thousand of their keys."""
    rows = pa.table({"id": np.arange(MOST_LISTED + 5)})
    listed = list_keys(rows, np.arange(3, MOST_LISTED + 5), Key(("id",)))

    assert listed["k0"].to_pylist() == [*range(3, MOST_LISTED + 3)]
