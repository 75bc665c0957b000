"""Keys as they are compared, and hashes of rows."""

import unicodedata
from collections.abc import Sequence

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from etl.key import Key, KeyCase

# Unicode's White_Space but for the plain space; https://www.unicode.org/Public/UCD/latest/ucd/PropList.txt
_RARE_SPACE = r"\t-\r\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}"
_WHITE_SPACE = f"[ {_RARE_SPACE}]+"
_UNFOLDED = f"^ | $|  |[{_RARE_SPACE}]"


def normalise_key(rows: pa.Table, key: Key) -> pa.Table:
    """The key columns, named k0, k1, …, as keys compare. What is stored stays as it was received."""
    return pa.table({f"k{i}": _normalise(rows[name], key.case) for i, name in enumerate(key)})


def key_names(key: Sequence[str]) -> list[str]:
    return [f"k{i}" for i in range(len(key))]


def normalise_text(values: pa.Array, case: KeyCase) -> pa.Array:
    """Text as it compares within a key: Unicode NFC, trimmed, white space within folded, case as said.

    Without case, two texts are equal if Unicode calls them a canonical caseless match (definition D145): full
    case folding, by which `straße` is `STRASSE` and no language has rules of its own. Any engine that hands
    over arrays of Arrow gets the same keys by calling this.
    """
    composed = pc.utf8_normalize(values, form="NFC").cast(pa.string())
    spaced = _fold_space(composed)
    return _fold_case(spaced) if case is KeyCase.INSENSITIVE else spaced


def hash_compared(keys: pa.Table) -> pa.ChunkedArray:
    """64 bits of each of `keys`, as they compare, by DuckDB's own hash: a twentieth of what SHA-256 takes.

    Good for what one pair of keys with one hash, among millions of batches, does not spoil; and only among
    hashes of one release of DuckDB.
    """
    keys = keys.rename_columns(key_names(keys.column_names))
    with duckdb.connect() as connection:
        connection.register("keys", keys)
        hashed = connection.sql(f"SELECT hash({', '.join(keys.column_names)}) AS hash FROM keys")
        return hashed.to_arrow_table()["hash"]


def _normalise(values: pa.ChunkedArray, case: KeyCase) -> pa.ChunkedArray:
    if pa.types.is_dictionary(values.type):
        return pa.chunked_array([_normalise_each_once(chunk, case) for chunk in values.chunks], pa.string())
    if not pa.types.is_string(values.type) and not pa.types.is_large_string(values.type):
        return values
    return pa.chunked_array([normalise_text(chunk, case) for chunk in values.chunks], pa.string())


def _normalise_each_once(values: pa.DictionaryArray, case: KeyCase) -> pa.Array:
    return normalise_text(values.dictionary, case).take(values.indices)


def _fold_space(values: pa.Array) -> pa.Array:
    """Looking whether anything is to be folded takes a fifth of the time that folding does."""
    if not pc.any(pc.match_substring_regex(values, _UNFOLDED)).as_py():
        return values
    return pc.utf8_trim(pc.replace_substring_regex(values, _WHITE_SPACE, " "), " ")


def _fold_case(values: pa.Array) -> pa.Array:
    """Arrow has no case folding; Python's is slower, so it gets what is not ASCII, and each text once."""
    lowered = pc.ascii_lower(values)
    is_ascii = pc.string_is_ascii(values)
    if pc.all(is_ascii).as_py() is not False:  # None: there is no value at all
        return lowered
    distinct = pc.filter(values, pc.invert(is_ascii)).dictionary_encode()
    folded = pa.array([_casefold(text) for text in distinct.dictionary.to_pylist()], pa.string())
    return pc.replace_with_mask(lowered, pc.invert(is_ascii).fill_null(False), folded.take(distinct.indices))


def _casefold(text: str) -> str:
    folded = unicodedata.normalize("NFD", text).casefold()
    return unicodedata.normalize("NFC", folded)


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
