"""The text of rows, kept while only their values are worked with."""

import gc
import os
import tempfile
from pathlib import Path

import pytest

from etl.reading.blocks import Block
from etl.reading.spool import Spool

TEXTS = [b"a,1\nb,2\n", b"c,3\r\n\xc3\xab,4\r\n", b'"d\n",5\n', b"e,6"]


def a_spool(in_memory_bytes: int) -> Spool:
    """Four blocks behind a header of 9 bytes; the last two are one span, as if a row went from one on."""
    spool, position, line, spans = Spool(in_memory_bytes), 9, 2, []
    for text in TEXTS:
        spool.write(Block(text, position))
        spans.append((line, position, len(text)))
        position, line = position + len(text), line + 2
    first, second, (third_line, third_position, third_size), (_, _, fourth_size) = spans
    spool.note(*first)
    spool.note(*second)
    spool.note(third_line, third_position, third_size + fourth_size)
    return spool


@pytest.mark.parametrize("in_memory_bytes", [0, 20, 30, 38, 1000])
def test_rows_come_back_from_memory_and_disk(in_memory_bytes: int):
    """Wherever a block is kept, its rows come back as they were, by their line, in the order asked for."""
    spool = a_spool(in_memory_bytes)

    rows = [(2, 1), (3, 1), (4, 1), (5, 1), (6, 2), (8, 1)]
    assert spool.texts(rows) == ["a,1", "b,2", "c,3", "ë,4", '"d\n",5', "e,6"]
    assert spool.texts([(5, 1), (2, 2)]) == ["ë,4", "a,1\nb,2"]
    assert spool.texts([]) == []


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The file has no name while it is used, and is closed with the spool, whoever forgets to."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gc.collect()  # what others left to be closed
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else None
    spool = a_spool(0)

    assert list(tmp_path.iterdir()) == []
    del spool
    gc.collect()
    if before is not None:
        assert len(os.listdir("/proc/self/fd")) == before
