"""The laws of comparing keys, over any text."""

import re
import unicodedata

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.key import KeyCase
from etl.steps.keys import normalise_text

QUICK = settings(max_examples=100)
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2005\u200a\u2028\u2029\u202f\u205f\u3000"

# Characters that compose, fold to several, have a final form or a dotless twin, and marks that change places.
tricky = st.sampled_from(
    [*WHITE_SPACE, *"eEßẞſsSKkÅåÅΣσςİiıIﬁŉǰΐᾳ\u0345", "e\u0301", "a\u0323\u0307", "a\u0307\u0323"]
)
texts = st.lists(tricky | st.text(max_size=3), max_size=6).map("".join)
some_texts = st.lists(st.none() | texts, max_size=6)
cases = st.sampled_from(KeyCase)


def compared(values: list[str | None], case: KeyCase) -> list[str | None]:
    return normalise_text(pa.array(values, pa.string()), case).to_pylist()


def model(text: str | None, case: KeyCase) -> str | None:
    """In Python's own words, one text at a time."""
    if text is None:
        return None
    if case is KeyCase.INSENSITIVE:
        text = unicodedata.normalize("NFD", text).casefold()
    return re.sub(f"[{WHITE_SPACE}\u2000-\u200a]+", " ", unicodedata.normalize("NFC", text)).strip(" ")


@QUICK
@given(some_texts, cases)
def test_texts_compare_as_unicode_says(values: list[str | None], case: KeyCase):
    """Whatever stands beside it in the column, each text compares by its own definition; null stays null."""
    assert compared(values, case) == [model(value, case) for value in values]


@QUICK
@given(some_texts, cases)
def test_a_compared_form_compares_as_itself(values: list[str | None], case: KeyCase):
    """Normalising what is normalised changes nothing."""
    once = compared(values, case)

    assert compared(once, case) == once


@QUICK
@given(texts, cases, st.sampled_from(["NFC", "NFD"]), st.sampled_from(WHITE_SPACE))
def test_the_form_and_the_space_do_not_count(text: str, case: KeyCase, form: str, space: str):
    """One text in another Unicode form, with other space around it and within, is the same key."""
    written = space + unicodedata.normalize(form, text).replace(" ", space * 2) + space

    assert compared([written], case) == compared([text], case)


@QUICK
@given(texts)
def test_leaving_case_out_joins_keys_and_parts_none(text: str):
    """Texts that are one key with case are one key without it, and so are a text and its folded form."""
    folded = unicodedata.normalize("NFD", text).casefold()
    sensitive = compared([text], KeyCase.SENSITIVE)

    assert len({*compared([text, *sensitive, folded], KeyCase.INSENSITIVE)}) == 1
