"""Physical lines: ended by LF, CRLF or CR."""

import numpy as np

WINDOW = 2**18  # octets that are worked on at a time, so that they stay in the processor's cache


def count_octet(text: bytes, octet: bytes) -> int:
    """As `text.count` does, which is slow where there are many."""
    if octet not in text:
        return 0
    octets = np.frombuffer(text, np.uint8)
    windows = (octets[start : start + WINDOW] for start in range(0, len(octets), WINDOW))
    return sum(np.count_nonzero(window == ord(octet)) for window in windows)


def count_line_ends(text: bytes) -> int:
    feeds = count_octet(text, b"\n")
    return feeds + text.count(b"\r") - text.count(b"\r\n") if b"\r" in text else feeds


def without_line_end(line: bytes) -> bytes:
    """`line` without the one line end that it may have."""
    if line.endswith(b"\r\n"):
        return line[:-2]
    return line[:-1] if line.endswith((b"\n", b"\r")) else line


class Lines:
    """The lines of a text, by number from 0."""

    def __init__(self, text: bytes):
        self._text = text
        octets = np.frombuffer(text, np.uint8)
        ends = octets == ord("\n")
        if b"\r" in text:
            bare = octets == ord("\r")
            bare[:-1] &= ~ends[1:]
            ends |= bare
        self._ends = np.flatnonzero(ends) + 1
        if len(text) and (not len(self._ends) or self._ends[-1] < len(text)):
            self._ends = np.append(self._ends, len(text))

    def __len__(self) -> int:
        return len(self._ends)

    def text(self, number: int, count: int = 1) -> str:
        """`count` lines as they were received, without the last one's line end."""
        start = int(self._ends[number - 1]) if number else 0
        return without_line_end(self._text[start : int(self._ends[number + count - 1])]).decode()
