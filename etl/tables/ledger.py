"""The ledger of a table: the batches it has taken, kept beyond the life of their snapshots.

It is one table property, of JSON: a list of [batch id, checksum of the staged rows, run id], oldest first,
the last two shortened. Only the newest 500 are kept, some 40 kB: each commit writes them, and Glue takes
512 kB a property. What is forgotten costs a plan that finds its rows unchanged or skipped; see ADR 8.
"""

import json
from collections.abc import Iterable, Mapping, Sequence

from etl.tables.table import BATCH_ID, RUN_ID, STAGED_SHA256

LEDGER = "lakegate.ledger"
_MOST_KEPT = 500

Mark = tuple[str, str, str]


def parse_ledger(text: str | None) -> tuple[Mark, ...]:
    """`text` is the property, None for a table without one."""
    return tuple((batch_id, staged, run_id) for batch_id, staged, run_id in json.loads(text or "[]"))


def ledger_to_text(ledger: Sequence[Mark]) -> str:
    return json.dumps(ledger[-_MOST_KEPT:], separators=(",", ":"))


def add_marks(ledger: Sequence[Mark], summaries: Iterable[Mapping[str, str]]) -> tuple[Mark, ...]:
    """`ledger` with the marks of those summaries that have a batch id, each once; both are oldest first.

    A mark that is not in the ledger is new if no later one is in it. Else the ledger had no room for it any
    more, and it comes before all others, or those it has room for would change with every commit.
    """
    told = [_shorten(marks) for marks in summaries if BATCH_ID in marks]
    known = set(ledger)
    end = max((place for place, mark in enumerate(told, start=1) if mark in known), default=0)
    forgotten = (mark for mark in told[:end] if mark not in known)
    return tuple(dict.fromkeys((*forgotten, *ledger, *told[end:])))


def holds(ledger: Iterable[Mark], marks: Mapping[str, str]) -> bool:
    """Whether a batch of the ledger has all of `marks`: BATCH_ID, and any of STAGED_SHA256 and RUN_ID."""
    wanted = _shorten(marks)
    return any(all(w in ("", k) for w, k in zip(wanted, known, strict=True)) for known in ledger)


def _shorten(marks: Mapping[str, str]) -> Mark:
    """Of a SHA-256 and of a run id, which Glue draws, 16 characters tell two of one batch apart."""
    return marks[BATCH_ID], marks.get(STAGED_SHA256, "")[:16], marks.get(RUN_ID, "")[-16:]
