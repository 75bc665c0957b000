"""The first line of a file → its columns, matched by name with the contract's."""

import csv
import re
from collections.abc import Sequence

from etl.contract import Column, Contract
from etl.custom_properties import SchemaDrift
from etl.errors import FileRejected
from etl.reading.parse import parse_line
from etl.schema_drift import Drift

# As Glue and Athena name columns; names with _ in front are Lakegate's.
_NEW_NAME = re.compile(r"[a-z][a-z0-9_]{0,254}")


def read_header(line: bytes, key: str, contract: Contract) -> tuple[list[Column], Drift]:
    """The file's columns in its order, and how they differ from the contract's.

    Raises FileRejected when the contract's columns are not all there, or others are, unless the contract lets
    the schema evolve. The line may be a row of data, so names that are not the contract's are never told.
    """
    try:
        header = parse_line(line, contract.csv)
    except csv.Error as error:
        raise FileRejected(key, f"line 1 (the header) cannot be read: {error}") from error
    expected = contract.column_names
    new = [name for name in header if name not in expected]
    missing = [column for column in contract.columns if column.name not in header]
    evolves = contract.schema_drift is SchemaDrift.EVOLVE
    needed = [column.name for column in missing if column.required or not evolves]
    problems = [*_repeated(header, expected)]
    if needed:
        problems.append(f"column {', '.join(needed)} is missing from the header")
    if new and not evolves:
        problems.append(f"{len(new)} of its {len(header)} columns are not in the contract")
    elif refused := [name for name in new if not _can_be_added(name, contract)]:
        problems.append(f"{len(refused)} of its {len(new)} new columns have names that no column can have")
    if problems:
        raise FileRejected(key, "; ".join(problems))
    declared = {column.name: column for column in contract.with_new_columns(new).columns}
    known = [name for name in header if name in expected]
    drift = Drift(
        new_columns=tuple(new),
        missing_columns=tuple(column.name for column in missing),
        is_reordered=known != [name for name in expected if name in header],
    )
    return [declared[name] for name in header], drift


def _repeated(header: Sequence[str], expected: Sequence[str]) -> list[str]:
    if len({*header}) == len(header):
        return []
    twice = sorted({name for name in expected if header.count(name) > 1})
    return [f"a column stands twice in the header: {', '.join(twice) or 'none of the contract'}"]


def _can_be_added(name: str, contract: Contract) -> bool:
    """Glue does not tell names apart by their case."""
    is_free = name not in {declared.lower() for declared in contract.column_names}
    return is_free and _NEW_NAME.fullmatch(name) is not None
