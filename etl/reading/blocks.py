"""A stream of bytes → blocks of whole lines, as UTF-8."""

import codecs
import gzip
import itertools
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from etl.custom_properties import CsvFormat
from etl.errors import FileRejected
from etl.reading.lines import count_line_ends, count_octet

LONGEST_LINE = 64 * 2**20  # bytes; also of a record that takes several lines
BYTE_ORDER_MARK = codecs.BOM_UTF8


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of a file, with their line ends; only the file's last line may be without one.

    `position` is where they start, in bytes from the start of the file, once it is unpacked; of a file that
    is not in UTF-8, of the file in UTF-8.
    """

    data: bytes
    position: int


def read_blocks(stream: BinaryIO, key: str, form: CsvFormat, block_bytes: int) -> Iterator[Block]:
    """The file's first line, alone, then the others in blocks of about `block_bytes`.

    A block ends outside quotes if the quotes in it are in order. Whether they are is for others to find out,
    and whether a UTF-8 file is UTF-8 too. Raises FileRejected for what is empty, damaged, in an encoding
    other than the contract's, or has a line longer than LONGEST_LINE.
    """
    chunks = _unpack(stream, key, block_bytes) if key.endswith(".gz") else read_chunks(stream, block_bytes)
    if not is_utf8(form):
        chunks = _transcode(chunks, key, form.encoding)
    header, behind = _take_header(chunks, key)
    yield header
    position = header.position + len(header.data)
    yield from cut_into_blocks(itertools.chain((behind,), chunks), position, key, form)


def cut_into_blocks(chunks: Iterable[bytes], position: int, key: str, form: CsvFormat) -> Iterator[Block]:
    """Blocks of the lines in `chunks`, which are UTF-8 and begin at `position`, on a line of their own."""
    rest = b""
    for chunk in chunks:
        text, rest = _cut(rest, chunk, form.quote.encode())
        if text:
            yield Block(text, position)
            position += len(text)
        _check_length(rest, position, key)
    if rest:
        yield Block(rest, position)


def _take_header(chunks: Iterator[bytes], key: str) -> tuple[Block, bytes]:
    """The first line, without a byte order mark, and what was read behind it."""
    text, mark, end = b"", 0, 0
    for chunk in chunks:
        text += chunk
        mark = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
        if end := _first_line_end(text):
            break
        _check_length(text, 0, key)
    if not text:
        raise FileRejected(key, "the file is empty")
    end = end or len(text)
    return Block(text[mark:end], mark), text[end:]


def _cut(rest: bytes, chunk: bytes, quote: bytes) -> tuple[bytes, bytes]:
    """What was left and what came: lines that end after an even number of quotes, and what is left now.

    After an odd number the last quote opens a value that goes on, so the cut is before its line; where there
    is none, the quotes are not in order, and one cut is as good as another.
    """
    end = _last_line_end(chunk, len(chunk))
    if not end:
        return b"", rest + chunk
    text, rest = b"".join((rest, memoryview(chunk)[:end])), chunk[end:]
    # A last line in which quotes open and close tells as much, nearly always, and saves counting all of them.
    last_line = text[_last_line_end(text, len(text) - 1) :]
    if quote in last_line and last_line.count(quote) % 2 == 0:
        return text, rest
    if count_octet(text, quote) % 2 and (cut := _last_line_end(text, text.rfind(quote))):
        return text[:cut], text[cut:] + rest
    return text, rest


def _check_length(text: bytes, position: int, key: str) -> None:
    if len(text) > LONGEST_LINE:
        problem = f"the line that starts at byte {position + 1} is longer than {LONGEST_LINE} bytes"
        raise FileRejected(key, problem)


class OctetRefused(Exception):
    """An octet for which the whole file is refused: its place in the file, its line (from 0) in its block."""

    def __init__(self, position: int, line: int, problem: str):
        super().__init__(position, line, problem)
        self.position, self.line, self.problem = position, line, problem

    def rejection(self, key: str, first_line: int, form: CsvFormat) -> FileRejected:
        """`first_line` is the block's. Only of a UTF-8 file the position is one of the file as it came."""
        line = f"line {first_line + self.line}"
        where = f"byte {self.position + 1} ({line})" if is_utf8(form) else line
        return FileRejected(key, f"{where} {self.problem}")


def check_octets(block: Block, form: CsvFormat) -> None:
    """Raises OctetRefused for the first octet that is NUL or, in a UTF-8 file, no UTF-8."""
    refused = []
    if (index := block.data.find(b"\0")) >= 0:
        refused.append((index, "is NUL"))
    if is_utf8(form) and not _is_valid(block.data):
        try:
            block.data.decode()
        except UnicodeDecodeError as error:
            refused.append((error.start, "is not utf-8"))
    if refused:
        index, problem = min(refused)
        raise OctetRefused(block.position + index, count_line_ends(block.data[:index]), problem)


def _is_valid(data: bytes) -> bool:
    """Whether it is UTF-8, by Arrow, which is several times faster than `bytes.decode`."""
    offsets = pa.py_buffer(np.array([0, len(data)], np.int32))
    try:
        pa.Array.from_buffers(pa.string(), 1, [None, offsets, pa.py_buffer(data)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def is_utf8(form: CsvFormat) -> bool:
    return codecs.lookup(form.encoding).name == "utf-8"


def read_chunks(stream: BinaryIO, size: int) -> Iterator[bytes]:
    while chunk := stream.read(size):
        yield chunk


def _unpack(stream: BinaryIO, key: str, size: int) -> Iterator[bytes]:
    """All members of a gzip file; one that ends early, or in anything else, is damaged."""
    unpacked = 0
    try:
        for chunk in read_chunks(gzip.GzipFile(fileobj=stream), size):
            yield chunk
            unpacked += len(chunk)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:  # not all OSErrors: the network has those too
        problem = f"after {unpacked} unpacked bytes it is cut short, damaged or no gzip"
        raise FileRejected(key, f"not a whole gzip file: {problem}") from error


def _transcode(chunks: Iterator[bytes], key: str, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    taken = 0
    try:
        for chunk in chunks:
            taken += len(chunk)
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError as error:
        # What could not be decoded ends with the last byte taken, and may begin in an earlier chunk.
        start = taken - len(error.object) + error.start
        raise FileRejected(key, f"byte {start + 1} is not {encoding}") from error
    except UnicodeError as error:
        raise FileRejected(key, f"it is not {encoding}, somewhere before byte {taken + 1}") from error


def _first_line_end(text: bytes) -> int:
    """Where the first line ends, with its line end; 0 if that is not in `text` yet."""
    feed, bare = text.find(b"\n") + 1, text.find(b"\r", 0, len(text) - 1) + 1
    if bare and (not feed or bare < feed - 1):
        return bare
    return feed


def _last_line_end(text: bytes, stop: int) -> int:
    """The end of the last line in text[:stop]; a CR at its very end may be the half of a CRLF."""
    return max(text.rfind(b"\n", 0, stop), text.rfind(b"\r", 0, max(stop - 1, 0))) + 1
