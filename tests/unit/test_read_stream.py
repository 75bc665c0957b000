"""Reading a stream: packed or not, in whatever blocks it comes, in the encoding that the contract says."""

import gzip
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from builders import a_contract, a_csv

from etl.custom_properties import CsvFormat
from etl.errors import FileRejected
from etl.reading import blocks, parse
from etl.steps.read_csv import ReadRows, read_rows

PEOPLE = a_contract(name="string", age="bigint")


def values(result: ReadRows) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in result.rows.to_pylist()]


def set_aside(result: ReadRows) -> list[tuple[int, str, str]]:
    return [(row.line_number, row.reason, row.text) for row in result.unparsable]


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


PACKED = packed(a_csv("name,age", "Zoë,30"))


@pytest.mark.parametrize(
    "data",
    [
        PACKED,
        packed(a_csv("name,age")) + packed(a_csv("Zoë,30")),  # a file may have several members
        packed(b"name,a") + packed(b"ge\nZo\xc3") + packed(b"\xab,30"),
        PACKED + packed(b""),
        PACKED + b"\0" * 512,  # what a tape pads with, as gzip itself lets pass
    ],
)
@pytest.mark.parametrize("block_bytes", [3, 2**20])
def test_gzip_goes_by_the_ending_of_the_key(data: bytes, block_bytes: int):
    """`.gz` at the end of the key means gzip, all members of it."""
    result = read_rows(BytesIO(data), "employee/x.csv.gz", PEOPLE, block_bytes)

    assert values(result) == [("Zoë", 30)]
    assert result.texts_of([0]) == ["Zoë,30"]


@pytest.mark.parametrize(
    "data",
    [
        PACKED[:-9],  # in the middle of the data
        PACKED[:-1],  # in the checksum
        PACKED[:5],
        PACKED[:-8] + bytes(8),  # another checksum
        PACKED[:20] + b"\xff\xff" + PACKED[22:],
        PACKED + b"Zora,31\n",
        PACKED + packed(a_csv("Ann,41"))[:-4],
        a_csv("name,age", "Zoë,30"),
        b"\x1f\x8b" + b"\xff" * 30,
    ],
)
def test_a_gzip_file_is_whole_or_rejected(data: bytes):
    """A packed file that is cut short, damaged, followed by anything else or no gzip at all is not read."""
    problem = r"^not a whole gzip file: after \d+ unpacked bytes"
    with pytest.raises(FileRejected, match=problem) as caught:
        read_rows(BytesIO(data), "x.csv.gz", PEOPLE)

    assert "Zo" not in str(caught.value)


class ABrokenLine(BytesIO):
    """A stream that ends in an error of the network."""

    def read(self, size: int | None = -1) -> bytes:
        if chunk := super().read(size):
            return chunk
        raise ConnectionResetError("peer")


@pytest.mark.parametrize("key", ["x.csv", "x.csv.gz"])
def test_a_connection_that_breaks_says_nothing_of_the_file(key: str):
    """What the network breaks is no fault of the file: the error leaves as it is, and the run is repeated."""
    data = a_csv("name,age", "Zoë,30")

    with pytest.raises(ConnectionResetError):
        read_rows(ABrokenLine(packed(data)[:-4] if key.endswith("gz") else data), key, PEOPLE)


class AStream(BytesIO):
    """Remembers how much was asked for, and can be read forwards only."""

    asked: list[int]

    def read(self, size: int | None = -1) -> bytes:
        self.asked = [*getattr(self, "asked", []), size or 0]
        return super().read(size)

    def seek(self, *_: Any) -> int:
        raise AssertionError("a stream of S3 cannot be read again")

    readinto = readline = readlines = None  # type: ignore[assignment]


def test_a_stream_is_read_once_and_in_blocks():
    """No more than a block is asked for at a time, and nothing twice."""
    lines = ["name,age", *(f"n{i},{i}" for i in range(500)), "bad", "last,1"]
    stream = AStream(a_csv(*lines))
    result = read_rows(stream, "k", PEOPLE, block_bytes=100)

    assert set(stream.asked) == {100}
    assert result.rows.num_rows == 501
    assert set_aside(result) == [(502, "1 fields where the header has 2", "bad")]
    assert result.texts_of([0, 250, 500]) == ["n0,0", "n250,250", "last,1"]


LATIN = "Zoë,1".encode("latin-1")
GOOD = a_csv("name,age", *["Ann,1"] * 1000)  # 6,009 bytes, 1,001 lines


@pytest.mark.parametrize(
    ("data", "encoding", "place"),
    [
        (LATIN + b",x\n", "utf-8", r"byte 3 \(line 1\) is not utf-8"),
        (a_csv("name,age") + LATIN, "utf-8", r"byte 12 \(line 2\) is not utf-8"),
        (a_csv("name,age", end="\r") + LATIN, "utf-8", r"byte 12 \(line 2\) is not utf-8"),
        (b"\xef\xbb\xbf" + a_csv("name,age") + LATIN, "utf-8", r"byte 15 \(line 2\) is not utf-8"),
        (GOOD + LATIN, "utf-8", r"byte 6012 \(line 1002\) is not utf-8"),
        (GOOD + LATIN, "utf8", r"byte 6012 \(line 1002\) is not utf-8"),
        (GOOD + b"\xed\xa0\x80,1", "utf-8", r"byte 6010 \(line 1002\) is not utf-8"),  # half of a pair
        (GOOD + b"a\xc3", "utf-8", r"byte 6011 \(line 1002\) is not utf-8"),  # cut short
        (GOOD + b"a\0b,1\n" + LATIN, "utf-8", r"byte 6011 \(line 1002\) is NUL"),
        (GOOD + LATIN + b"\na\0b,1", "utf-8", r"byte 6012 \(line 1002\) is not utf-8"),
        (b"na\0me,age\n", "utf-8", r"byte 3 \(line 1\) is NUL"),
        (a_csv("name,age") + b'"a\nb","1\n\0"', "utf-8", r"byte 19 \(line 4\) is NUL"),
        (GOOD + LATIN, "ascii", "byte 6012 is not ascii"),
        (GOOD + "Zoë,1".encode(), "shift_jis", None),  # a legal text of that encoding, if a strange one
        ((GOOD.decode() + "a\0,1").encode("utf-16"), "utf-16", "line 1002 is NUL"),
        (GOOD + b"\x81", "cp1252", "byte 6010 is not cp1252"),
        (GOOD.decode().encode("utf-16") + b"a", "utf-16", "byte 12021 is not utf-16"),
        (b"a,b\n", "utf-16", "it is not utf-16, somewhere before byte 5"),
    ],
)
@pytest.mark.parametrize("key", ["k.csv", "k.csv.gz"])
@pytest.mark.parametrize("block_bytes", [7, 1000, 2**20])
def test_the_byte_that_is_not_in_the_encoding(
    data: bytes, encoding: str, place: str | None, key: str, block_bytes: int
):
    """Another encoding than the contract's rejects with the byte's place in the whole file, once unpacked."""
    contract = replace(PEOPLE, csv=CsvFormat(encoding=encoding))
    stream = BytesIO(packed(data) if key.endswith("gz") else data)
    if place is None:
        assert read_rows(stream, key, contract, block_bytes).count == 1001
        return

    with pytest.raises(FileRejected, match=f"^{place}"):
        read_rows(stream, key, contract, block_bytes)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1"])
@pytest.mark.parametrize("block_bytes", [1, 5, 2**20])
def test_characters_that_blocks_cut_in_two(encoding: str, block_bytes: int):
    """A character whose bytes come in two blocks is one character."""
    contract = replace(PEOPLE, csv=CsvFormat(encoding=encoding))
    data = 'name,age\r\n"Zoë\nÑ",30\r\nÀÉ,41'.encode(encoding)
    result = read_rows(BytesIO(data), "k", contract, block_bytes)

    assert values(result) == [("Zoë\nÑ", 30), ("ÀÉ", 41)]
    assert result.texts_of([0, 1]) == ['"Zoë\nÑ",30', "ÀÉ,41"]


@pytest.mark.parametrize("text", ["x" * 200, '"' + "x\n" * 100])
def test_there_is_an_end_to_a_line(text: str, monkeypatch: pytest.MonkeyPatch):
    """What looks like a line or a value without an end rejects the file, instead of filling the memory."""
    monkeypatch.setattr(blocks, "LONGEST_LINE", 100)
    monkeypatch.setattr(parse, "LONGEST_LINE", 100)

    problem = "line that starts at byte 16 is longer than 100|opened on line 3 is not closed"
    with pytest.raises(FileRejected, match=problem):
        read_rows(BytesIO(a_csv("name,age", "Ann,1", text)), "k", PEOPLE, block_bytes=10)


def test_a_value_of_many_blocks():
    """A quoted value that is longer than several blocks, line ends and all, is read whole."""
    long = 'Zoë, "the\r\ngreat"\n' * 5000
    lines = ["name,age", "Ann,1", '"' + long.replace('"', '""') + '",2', "Bob,x", '"Carl",3']
    result = read_rows(BytesIO(a_csv(*lines)), "k", PEOPLE, block_bytes=4096)

    assert values(result) == [("Ann", 1), (long, 2), ("Carl", 3)]
    assert result.line_numbers.tolist() == [2, 3, 10_005]
    assert result.texts_of([0, 1, 2]) == [lines[1], lines[2], lines[4]]
    assert set_aside(result) == [(10_004, "age is no bigint", "Bob,x")]


def test_line_numbers_hold_across_blocks():
    """A file that is read in many blocks numbers its lines as one that is read at once."""
    lines = ["name,age", *(f"n{i},{i}" if i % 7 else f"n{i}" for i in range(100)), "", "last,1"]
    at_once = read_rows(BytesIO(a_csv(*lines)), "k", PEOPLE)
    in_blocks = read_rows(BytesIO(a_csv(*lines)), "k", PEOPLE, block_bytes=64)

    assert in_blocks.rows == at_once.rows
    assert in_blocks.unparsable == at_once.unparsable
    assert in_blocks.line_numbers.tolist() == at_once.line_numbers.tolist()
    assert in_blocks.line_numbers[-1] == len(lines)
