"""Canaries, invented names that stand nowhere else, and the search for them in any bytes.

Every canary begins and ends with a stem of eight letters that is in no other text. The search looks for the
stems, as whatever a name may become on its way out; so a canary cut short to eight letters is found too, and
what follows the stem tells which canary it is.
"""

import base64
import gzip
import html.entities
import io
import itertools
import json
import re
import unicodedata
import urllib.parse
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq

STEM = "Qzvexwhu"
FOREIGN_STEM = "Żđőğűřćž"  # no letter of it is ASCII, so that every escaping shows
STEMS = (STEM, FOREIGN_STEM)
_NUMBER = re.compile(r"[a-z]{4}")
_SHOWN = 60  # bytes before and after
_MOST_HITS = 20  # of one encoding in one place


@dataclass(frozen=True, slots=True)
class Hit:
    """A canary that was found: where, as what, and what stands around it."""

    place: str
    encoding: str
    around: str

    def __str__(self) -> str:
        return f"{self.place}, as {self.encoding}: {self.around}"


@dataclass(slots=True)
class Canaries:
    """Makes canaries, and remembers what each was planted for."""

    planted: dict[str, str] = field(default_factory=dict)

    def make(self, purpose: str, stem: str = STEM) -> str:
        """A new one, of letters alone; it passes for a name."""
        number = "".join(chr(ord("a") + len(self.planted) // 26**place % 26) for place in (3, 2, 1, 0))
        self.planted[number] = purpose
        return f"{stem}{number}{stem}"

    def purpose(self, hit: Hit) -> str:
        numbers = [n.lower() for stem in STEMS for n in re.findall(f"(?i){stem}([a-z]{{4}})", hit.around)]
        return "; ".join(self.planted.get(n, "?") for n in dict.fromkeys(numbers)) or "cut short"


def find_canaries(place: str, data: bytes) -> list[Hit]:
    """The first hits of every encoding, in `data` itself and in what it holds compressed."""
    hits = []
    for inner, content in unpacked(place, data):
        lower = content.lower()
        for needle in _NEEDLES:
            searched = lower if needle.ignores_case else content
            for at in itertools.islice(_positions(searched, needle.octets), _MOST_HITS):
                around = content[max(0, at - _SHOWN) : at + len(needle.octets) + _SHOWN]
                hits.append(Hit(inner, needle.encoding, around.decode("utf-8", "backslashreplace")))
    return hits


def _positions(data: bytes, sought: bytes) -> Iterator[int]:
    at = data.find(sought)
    while at >= 0:
        yield at
        at = data.find(sought, at + len(sought))


def unpacked(place: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """`data`, and whatever gzip, zip (and so wheels) and Parquet hold, however deep."""
    yield place, data
    if data.startswith(b"\x1f\x8b"):
        yield from unpacked(f"{place} (gunzipped)", _gunzipped(data))
    elif data.startswith(b"PK\x03\x04") and zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield from unpacked(f"{place}!{name}", archive.read(name))
    elif data.startswith(b"PAR1"):
        yield f"{place} (rows)", _parquet_text(data)


def _gunzipped(data: bytes) -> bytes:
    """All that can be read of it: half a file may hold a name too."""
    read = bytearray()
    try:
        with gzip.open(io.BytesIO(data)) as file:
            while chunk := file.read1(65_536):
                read += chunk
    except (OSError, EOFError):
        pass
    return bytes(read)


def _parquet_text(data: bytes) -> bytes:
    try:
        file = pq.ParquetFile(io.BytesIO(data))
    except pa.ArrowInvalid:
        return b""
    statistics = str(file.metadata.to_dict())
    return json.dumps([statistics, file.read().to_pylist()], default=str, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class _Needle:
    """`octets` are lower case where `ignores_case`; that is about ASCII letters alone."""

    encoding: str
    octets: bytes
    ignores_case: bool = False


def _needles(stem: str) -> Iterator[_Needle]:
    texts = {stem, stem.lower(), stem.upper()}
    texts |= {unicodedata.normalize("NFD", text) for text in texts}
    for text in sorted(texts):
        utf8 = text.encode()
        for encoding, octets in {
            "UTF-8": utf8,
            "UTF-16-LE": text.encode("utf-16-le"),
            "UTF-16-BE": text.encode("utf-16-be"),
            "a JSON string": json.dumps(text).strip('"').encode(),
            "a JSON string in JSON": json.dumps(json.dumps(text)).strip('"\\').encode(),
            "a Python literal": ascii(text).strip("'").encode(),
            "bytes of Python": repr(utf8)[2:-1].encode(),
            "HTML, decimal": text.encode("ascii", "xmlcharrefreplace"),
            "HTML, hexadecimal": "".join(c if c.isascii() else f"&#x{ord(c):x};" for c in text).encode(),
            "HTML, by name": "".join(map(_entity, text)).encode(),
            "a URL": urllib.parse.quote(text).encode(),
            "a URL in a URL": urllib.parse.quote(urllib.parse.quote(text)).encode(),
            "quoted-printable": "".join(
                chr(o) if chr(o).isascii() and chr(o).isalpha() else f"={o:02X}" for o in utf8
            ).encode(),
            "hexadecimal": utf8.hex().encode(),
        }.items():
            yield _Needle(encoding, octets.lower(), ignores_case=True)
        for shift in range(3):
            # What stands before and after the stem is not known: only whole groups of three are looked for.
            inner = utf8[-shift % 3 :]
            inner = inner[: len(inner) - len(inner) % 3]
            yield _Needle(f"base64, shifted by {shift}", base64.b64encode(inner))
            yield _Needle(f"base64 for URLs, shifted by {shift}", base64.urlsafe_b64encode(inner))


def _entity(character: str) -> str:
    name = html.entities.codepoint2name.get(ord(character))
    return f"&{name};" if name else character


def _distinct(needles: Iterable[_Needle]) -> tuple[_Needle, ...]:
    return tuple({(n.octets, n.ignores_case): n for n in reversed(list(needles))}.values())[::-1]


_NEEDLES = _distinct(itertools.chain.from_iterable(_needles(stem) for stem in STEMS))
