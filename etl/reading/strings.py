"""The bytes of an Arrow column of strings, as numpy sees them without a copy."""

from functools import cached_property

import numpy as np
import pyarrow as pa


class Strings:
    """`octets` are those of all values, one after the other; value i has lengths[i] from starts[i] on."""

    def __init__(self, values: pa.Array):
        """`values` has type string and no nulls."""
        _, offsets, data = values.buffers()
        self.values = values
        bounds = np.frombuffer(offsets, np.int32)[values.offset : values.offset + len(values) + 1]
        stop = int(bounds[-1]) if len(values) else 0
        self.octets = np.frombuffer(data, np.uint8)[:stop] if stop else np.empty(0, np.uint8)
        self.starts, self._ends = bounds[:-1], bounds[1:]

    @cached_property
    def lengths(self) -> np.ndarray:
        return self._ends - self.starts

    @cached_property
    def first(self) -> np.ndarray:
        """The first octet of each value; 0 for an empty one."""
        return self.octet(0)

    def places(self, index: int | np.ndarray) -> np.ndarray:
        """Where octet `index` of each value stands; for values that are shorter, some place or other."""
        return np.clip(self.starts + index, 0, len(self.octets) - 1)

    def octet(self, index: int | np.ndarray) -> np.ndarray:
        """Octet `index` of each value; 0 for values that are shorter."""
        if not len(self.octets):
            return np.zeros(len(self.starts), np.uint8)
        return np.where(self.lengths > index, self.octets[self.places(index)], 0)

    @cached_property
    def are_digits(self) -> np.ndarray:
        return (self.octets - np.uint8(ord("0"))) <= 9  # wraps: what is below 0 becomes large

    def are_in(self, allowed: bytes) -> np.ndarray:
        """Of each octet, whether it is one of `allowed`."""
        table = np.zeros(256, bool)
        table[list(allowed)] = True
        return table[self.octets]

    def hold(self, octet: bytes) -> bool:
        return bool((self.octets == ord(octet)).any())

    def holding(self, marked: np.ndarray) -> np.ndarray:
        """Positions of the values with a marked octet."""
        return np.searchsorted(self._ends, np.flatnonzero(marked), side="right")

    def with_empty_as_null(self) -> pa.Array:
        is_present = self.lengths > 0
        if is_present.all():
            return self.values
        offset = self.values.offset
        validity = np.packbits(np.append(np.zeros(offset, bool), is_present), bitorder="little")
        buffers = [pa.py_buffer(validity), *self.values.buffers()[1:]]
        return pa.Array.from_buffers(pa.string(), len(self.values), buffers, offset=offset)
