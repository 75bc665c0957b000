"""What Great Expectations found, in our own words: everything after the validation works with these alone."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

# The reason of a row without a value that the contract requires, and the beginning of that of a row without a
# whole key, which the column's name follows; no expectation may be named so.
REQUIRED_IS_NULL = "required_value_missing"
KEY_IS_NULL = "key_column_null"


class Severity(StrEnum):
    """GX's own field. A failing critical expectation rejects the batch, a failing warning that judges rows
    quarantines them, info is recorded."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class ExpectationOutcome:
    """One expectation's result over a batch.

    `failed_rows` are positions (int64, ascending) of the rows that failed, empty unless `is_row_level`;
    `observed_value` is redacted; `error` says why the expectation could not be evaluated, in which case
    `success` means nothing.
    """

    name: str
    expectation_type: str
    columns: tuple[str, ...]
    severity: Severity
    description: str
    is_row_level: bool
    success: bool
    element_count: int
    unexpected_count: int
    unexpected_percent: float
    observed_value: str | None = None
    error: str | None = None
    failed_rows: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
