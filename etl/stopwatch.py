"""How long the stages of a run take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """`seconds` by stage, in the order in which the stages ended; `total` is since it was made."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._started = time.monotonic()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - started, 3)

    @property
    def total(self) -> float:
        return round(time.monotonic() - self._started, 3)
