"""Proofs that the quotes of a block are in order.

In order means: from outside quotes, every quote either opens a value (after a delimiter, a line end or
nothing), or closes it (before one of these), or is one of two that stand for one inside a value. Then Arrow
and a strict parser read the same. Otherwise they do not: Arrow drops the quotes of `"a" b`, and swallows the
rows behind a quote that nothing closes.
"""

import numpy as np

from etl.reading.lines import WINDOW


def count_plain_quotes(data: bytes, quote: bytes, delimiter: bytes) -> int | None:
    """How many quotes there are, if half of them stand before the end of a value, none of these after one.

    Then the quotes are in order *if* a parser that takes quotes at the start of values alone finds none
    inside the values. For then they open and close in turn; each that opens stands after the end of a value,
    so it is none of that half; so the half are all that close. A few passes over bytes, and no index.
    """
    octets, ends = np.frombuffer(data, np.uint8), _ends(data, delimiter)
    count = closing = 0
    for start in range(0, len(octets), WINDOW):
        is_quote = octets[start : start + WINDOW] == ord(quote)
        is_end = _find(octets, ends, start - 1, start + len(is_quote) + 1)
        closes = is_quote & is_end[2:]
        count += np.count_nonzero(is_quote)
        closing += np.count_nonzero(closes)
        closes &= is_end[:-2]
        if closes.any():
            return None
    return count if count == 2 * closing else None


def quotes_are_in_order(data: bytes, quote: bytes, delimiter: bytes) -> bool:
    """The proof itself, quote by quote: of two, the first opens and the second closes, or both are inside.

    A value's doubled quotes close and open it again, in this view; so each that opens may also stand right
    behind one that closes, and each that closes right before one that opens.
    """
    octets = np.frombuffer(data, np.uint8)
    places = np.flatnonzero(octets == ord(quote))
    if len(places) % 2:
        return False
    opening, closing = places[0::2], places[1::2]
    is_end = _find(octets, _ends(data, delimiter), -1, len(octets) + 1)
    opens, closes = is_end[opening], is_end[closing + 2]
    is_doubled = closing[:-1] + 1 == opening[1:]
    opens[1:] |= is_doubled
    closes[:-1] |= is_doubled
    return bool(opens.all() and closes.all())


def _ends(data: bytes, delimiter: bytes) -> list[int]:
    """The octets that end a value."""
    return [ord(delimiter), *(octet for octet in b"\n\r" if octet in data)]


def _find(octets: np.ndarray, wanted: list[int], start: int, stop: int) -> np.ndarray:
    """Of the octets from `start` to `stop`, whether each is wanted; those before and after all others are."""
    found = np.ones(stop - start, bool)
    inside = octets[max(start, 0) : stop]
    here = found[max(-start, 0) :][: len(inside)]
    np.equal(inside, wanted[0], out=here)
    for octet in wanted[1:]:
        here |= inside == octet
    return found
