"""Arrow rows → the pandas frame that Great Expectations judges.

Types are those that GX is fast on: Arrow-backed strings, int64, float64, and datetime64[ns] where dates fit.
"""

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import pandas as pd

_FIRST_NS, _LAST_NS = "1677-09-22", "2262-04-10"  # the days that datetime64[ns] can hold


def to_frame(rows: pa.Table) -> "pd.DataFrame":
    """A frame with a RangeIndex, so that GX's row labels are positions in `rows`.

    Integers with nulls become Int64 and keep every digit; a date outside the years 1678 to 2261 makes its
    column datetime64[us], slower but right.
    """
    import pandas as pd

    columns = {name: _to_series(rows[name]) for name in rows.column_names}
    return pd.DataFrame(columns, index=pd.RangeIndex(rows.num_rows), copy=False)


def _to_series(column: pa.ChunkedArray) -> "pd.Series":
    import pandas as pd

    if pa.types.is_integer(column.type) and column.null_count:
        return column.to_pandas(types_mapper={column.type: pd.Int64Dtype()}.get)
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        moments = column.cast(pa.timestamp("us"))
        unit = "ns" if _fits_nanoseconds(moments) else "us"
        return moments.to_pandas().astype(f"datetime64[{unit}]")
    return column.to_pandas()


def _fits_nanoseconds(moments: pa.ChunkedArray) -> bool:
    bounds = pc.min_max(moments)
    if not bounds["min"].is_valid:
        return True
    first, last = (pa.scalar(day).cast(pa.timestamp("us")) for day in (_FIRST_NS, _LAST_NS))
    return pc.greater_equal(bounds["min"], first).as_py() and pc.less(bounds["max"], last).as_py()
