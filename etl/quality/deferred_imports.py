"""Modules that are loaded when something of theirs is first asked for."""

import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Deferring:
    """A finder for some modules by name: those that are found are given Python's own lazy loader."""

    def __init__(self, names: Sequence[str]):
        self._names = frozenset(names)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self._names:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(name, path, target) for finder in others)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


def defer_imports(*names: str) -> None:
    """Let the imports of these modules to come succeed at once, and be made up for at the first use.

    A module that is missing raises at its import, as ever. Not for modules that several threads may be the
    first to use: https://docs.python.org/3.11/library/importlib.html#importlib.util.LazyLoader
    """
    sys.meta_path.insert(0, _Deferring(names))
