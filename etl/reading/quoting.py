"""Proofs that the quotes of a block are in order.

In order means: from outside quotes, every quote either opens a value (after a delimiter, a line end or
nothing), or closes it (before one of these), or is one of two that stand for one inside a value. Then Arrow
and a strict parser read the same. Otherwise they do not: Arrow drops the quotes of `"a" b`, and swallows the
rows behind a quote that nothing closes.
"""

import numpy as np

_LINE_ENDS = (ord("\n"), ord("\r"))


def count_plain_quotes(data: bytes, quote: bytes, delimiter: bytes) -> int | None:
    """How many quotes there are, if half of them stand before the end of a value, none of these after one.

    Then the quotes are in order *if* a parser that takes quotes at the start of values alone finds none
    inside the values. For then they open and close in turn; each that opens stands after the end of a value,
    so it is none of that half; so the half are all that close. A few passes over bytes, and no index.
    """
    octets = np.frombuffer(data, np.uint8)
    is_quote = octets == ord(quote)
    count = np.count_nonzero(is_quote)
    if count % 2 or len(data) < 2:
        return None
    is_end = _value_ends(octets, delimiter, data)
    is_last, is_after_end = is_quote[-1], is_end[-2]
    closes = is_quote[:-1] & is_end[1:]
    closing = np.count_nonzero(closes) + int(is_last)
    closes[1:] &= is_end[:-2]  # what is left stands between two ends, such as the first octet
    if 2 * closing != count or closes.any() or (is_last and is_after_end):
        return None
    return count


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
    is_end = np.append(_value_ends(octets, delimiter, data), True)
    after_closing = np.append(-1, closing[:-1]) == opening - 1
    after_closing[:1] = False
    before_opening = np.append(opening[1:], -1) == closing + 1
    opens = is_end[opening - 1] | (opening == 0) | after_closing
    closes = is_end[closing + 1] | before_opening
    return bool(opens.all() and closes.all())


def _value_ends(octets: np.ndarray, delimiter: bytes, data: bytes) -> np.ndarray:
    is_end = octets == ord(delimiter)
    for octet in _LINE_ENDS:
        if octet in data:
            is_end |= octets == octet
    return is_end
