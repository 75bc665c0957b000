"""A dataset's key: its columns, and how text in them compares."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class KeyCase(StrEnum):
    SENSITIVE = "sensitive"
    INSENSITIVE = "insensitive"


@dataclass(frozen=True, slots=True)
class Key(Sequence[str]):
    """The names of the key columns, in key order."""

    columns: tuple[str, ...]
    case: KeyCase = KeyCase.SENSITIVE

    def __getitem__(self, index: Any) -> Any:
        return self.columns[index]

    def __len__(self) -> int:
        return len(self.columns)
