"""The law of pruning: a file that is left out holds no wanted key, whatever the values look like."""

import unicodedata

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyiceberg.io.pyarrow import StatsAggregator
from pyiceberg.types import StringType

from etl.key import Key, KeyCase
from etl.steps.keys import normalise_key
from etl.tables.pruning import WantedRanges

OFTEN = settings(max_examples=400)

# Pieces that normalisation joins, parts, moves, drops or folds; some are other spellings of each other.
_LETTERS = (
    "a",
    "A",
    "b",
    "B",
    "Z",
    "z",
    "<",
    "0",
    "~",
    "e\u0301",
    "\u00e9",
    "E",
    "k",
    "K",
    "\u212a",
    "ss",
    "\u00df",
)
_MARKS = ("\u0301", "\u0327", "\u0345", "\u0338", "\u0130", "\u01c5", "\u226e", "\U0010ffff")
_SPACES = (" ", "  ", "\t", "\u0085", "\u00a0", "\u2028", "\u3000")
pieces = st.sampled_from(_LETTERS + _MARKS + _SPACES)
texts = (st.lists(pieces, max_size=4) | st.lists(pieces, min_size=15, max_size=18)).map("".join)
forms = st.sampled_from(["NFC", "NFD", "upper", "lower", "casefold", "spaced"])


def in_another_form(text: str, form: str) -> str:
    if form == "spaced":
        return f"\t{text}\u2003".replace(" ", " \u3000")
    return unicodedata.normalize(form, text) if form in ("NFC", "NFD") else getattr(text, form)()


def keys_of(texts: list[str], case: KeyCase) -> pa.Table:
    return normalise_key(pa.table({"k": pa.array(texts, pa.string())}), Key(("k",), case))


@OFTEN
@given(st.lists(texts, min_size=1, max_size=4), texts, forms, st.sampled_from(KeyCase))
@example(["E"], "E\u0301", "NFC", KeyCase.SENSITIVE)
@example(["\u212aim"], "kim", "upper", KeyCase.INSENSITIVE)
def test_a_file_left_out_holds_no_wanted_key(file: list[str], stranger: str, form: str, case: KeyCase):
    """Of each value in a file, in any form in which the key is the same, the file is read."""
    found = StatsAggregator(StringType(), "BYTE_ARRAY", 16)
    found.update_min(min(file))
    found.update_max(max(file))
    bounds = [(found.min_as_bytes(), found.max_as_bytes())]
    held = set(keys_of(file, case)["k0"].to_pylist())
    for text in [stranger, in_another_form(stranger, form), *(in_another_form(t, form) for t in file)]:
        wanted = keys_of([text], case)
        assert WantedRanges(wanted).may_stand_in(bounds) or wanted["k0"][0].as_py() not in held
