"""Keys that people are told of, by hashes that say something to those alone who can read the table."""

import hashlib
import hmac
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.key import Key
from etl.steps.keys import normalise_key

MOST_LISTED = 1000


def list_keys(rows: pa.Table, positions: np.ndarray, key: Key) -> pa.Table:
    """The keys of the first MOST_LISTED of the rows at these positions, as they compare."""
    return normalise_key(rows.select(list(key)).take(pa.array(positions[:MOST_LISTED])), key)


def hash_keys(keys: pa.Table, secret: bytes) -> Iterator[str]:
    """Of each of `keys`, as normalise_key gives them, 32 hex digits of an HMAC-SHA-256.

    A hash without a secret would be as good as the name: who has a list of names can hash them all.
    """
    columns = [pc.cast(column, pa.string()).to_pylist() for column in keys.columns]
    for parts in zip(*columns, strict=True):
        text = "".join(f"{len(part)}:{part}" for part in parts)  # no two keys read alike
        yield hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:32]
