"""Keys as they are compared, and hashes of rows."""

from collections.abc import Sequence

import duckdb
import pyarrow as pa
import pyarrow.compute as pc


def normalise_key(rows: pa.Table, key: Sequence[str]) -> pa.Table:
    """The key columns, named k0, k1, …, as keys compare: Unicode NFC, trimmed, inner white space folded.

    What is stored stays as it was received.
    """
    return pa.table({f"k{i}": _normalise(rows[name]) for i, name in enumerate(key)})


def key_names(key: Sequence[str]) -> list[str]:
    return [f"k{i}" for i in range(len(key))]


def _normalise(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_string(values.type) and not pa.types.is_large_string(values.type):
        return values
    folded = pc.replace_substring_regex(pc.utf8_normalize(values, form="NFC"), r"[\s\p{Z}]+", " ")
    return pc.utf8_trim(folded, " ").cast(pa.string())


def hash_rows(rows: pa.Table, columns: Sequence[str], new_columns: Sequence[str] = ()) -> pa.ChunkedArray:
    """One 128-bit hash, as 32 hex digits, over the columns of each row; equal for equal values only.

    Each value is written with its length before it, so that no two rows read alike (`ab`,`c` and `a`,`bc`).
    Of `new_columns`, which not every batch has, only what is not null counts, in whatever order they stand: a
    row without any has the hash that it had before there were such columns.
    """
    parts = [
        f"coalesce(length({_text(name)}) || ':' || {_text(name)}, '-')"  # null differs from empty
        for name in columns
    ]
    parts += [
        f"coalesce('+{len(name)}:{_escaped(name)}' || length({_text(name)}) || ':' || {_text(name)}, '')"
        for name in sorted(new_columns)
    ]
    with duckdb.connect() as connection:
        connection.register("batch", rows.select([*columns, *new_columns]))
        query = f"SELECT left(sha256(concat({', '.join(parts)})), 32) AS hash FROM batch"
        return connection.sql(query).to_arrow_table()["hash"].cast(pa.string())


def _escaped(text: str) -> str:
    return text.replace("'", "''")


def _text(name: str) -> str:
    quoted = name.replace('"', '""')
    return f'CAST("{quoted}" AS VARCHAR)'
