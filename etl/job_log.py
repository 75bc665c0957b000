"""What may be said in a job's log: our own words, and of everybody else's the place alone.

A library's log line may quote a row, at DEBUG most of all, and whoever looks for an error turns the level up.
So it is not the level that keeps names out of the logs.
"""

import logging
import sys
import threading
from typing import Any

_OURS = "etl"


def start_log() -> None:
    """Log to standard output, from here on in this process; warnings too. Whoever sets what level later."""
    logging.setLogRecordFactory(_without_foreign_words)
    logging.captureWarnings(True)
    sys.unraisablehook = threading.excepthook = _tell_class
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")


def _tell_class(raised: Any) -> None:
    """What Python would print of an exception in a thread or a destructor, message, object and all."""
    logging.getLogger(_OURS).error("%s was raised where nobody waits for it", raised.exc_type.__name__)


def _without_foreign_words(
    name: str, level: int, path: str, line: int, message: Any, *rest: Any, **named: Any
) -> logging.LogRecord:
    """A record; one of a logger that is not ours says where it was made, and nothing of what it is about."""
    if name.partition(".")[0] == _OURS:
        return logging.LogRecord(name, level, path, line, message, *rest, **named)
    function = rest[2] if len(rest) > 2 else None
    return logging.LogRecord(name, level, path, line, f"({path}:{line})", (), None, function)
