"""Arrow's CSV reader over one block of lines, with every option that keeps it from being helpful."""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
from pyarrow import csv as arrow_csv

from etl.custom_properties import CsvFormat


def read_by_arrow(
    data: bytes, types: Sequence[pa.DataType], form: CsvFormat, on_wrong_row: Callable[[Any], str] | None
) -> list[pa.Array]:
    """The block's columns: empty lines are rows of empty fields, and only empty fields of a type are null.

    `on_wrong_row` is told of each row with more or fewer fields, by its number from 1; without it, such a row
    raises ArrowInvalid, as does a value that is not of its type. The octets have to be UTF-8.
    """
    names = [str(number) for number in range(len(types))]
    has_quotes = form.quote.encode() in data
    table = arrow_csv.read_csv(
        pa.py_buffer(data),
        # Only one thread counts rows for the handler; all is one block for Arrow.
        read_options=arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=len(data) + 1),
        parse_options=arrow_csv.ParseOptions(
            delimiter=form.delimiter,
            quote_char=form.quote if has_quotes else False,
            newlines_in_values=has_quotes,
            ignore_empty_lines=False,
            invalid_row_handler=on_wrong_row,
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict(zip(names, types, strict=True)),
            null_values=[""],
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )
    return [column.combine_chunks() for column in table.columns]
