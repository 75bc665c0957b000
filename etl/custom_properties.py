"""What a contract says in its customProperties: what the Open Data Contract Standard has no field for.

Field names are those of the file, in snake case; Terraform reads the same properties with yamldecode.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic.alias_generators import to_camel

from etl.key import KeyCase


class Engine(StrEnum):
    """What gate and merge run on: one process, Spark, or for each batch what its size asks for."""

    SINGLE_NODE = "single_node"
    SPARK = "spark"
    AUTO = "auto"


class SparkSize(pydantic.BaseModel):
    """Of a dataset's jobs on Spark. Terraform reads the first two: Glue scales up to so many workers."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X", "R.1X", "R.2X", "R.4X", "R.8X"] = "G.1X"
    max_workers: Annotated[int, pydantic.Field(ge=2, le=299)] = 10
    auto_threshold_gib: Annotated[float, pydantic.Field(gt=0)] = 2


class Keep(StrEnum):
    LAST_IN_FILE = "last_in_file"
    GREATEST = "greatest"


class DeduplicateRule(pydantic.BaseModel):
    """Which of the rows with one key in one file is kept.

    `greatest`: the one with the greatest value of `ordering_column`; null is less than any value, and of
    equal ones the last in the file is kept. In a contract a bare word stands for `keep`.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    keep: Keep = Keep.LAST_IN_FILE
    ordering_column: str | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _from_word(cls, stated: Any) -> Any:
        return {"keep": stated} if isinstance(stated, str) else stated

    @pydantic.model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if (self.ordering_column is not None) != (self.keep is Keep.GREATEST):
            raise ValueError(f"orderingColumn goes with keep: {Keep.GREATEST}, and each needs the other")
        return self


class SchemaDrift(StrEnum):
    """What becomes of a file whose columns are not the contract's."""

    REJECT = "reject"
    EVOLVE = "evolve"


class CsvFormat(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    # Both parsers take one ASCII character; a line end can be neither.
    delimiter: Annotated[str, pydantic.Field(pattern=r"^[\t -~]$")] = ","
    quote: Annotated[str, pydantic.Field(pattern=r"^[!-~]$")] = '"'
    encoding: str = "utf-8"

    @pydantic.field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        try:
            "a".encode(encoding)  # also refuses codecs that are none of text, such as base64
        except LookupError as error:
            raise ValueError(f"{encoding!r} is no encoding") from error
        return encoding

    @pydantic.model_validator(mode="after")
    def _are_apart(self) -> Self:
        if self.delimiter == self.quote:
            raise ValueError("delimiter and quote are the same character")
        return self


class HistoryBand(pydantic.BaseModel):
    """How far a batch may be from the median of the last `batches` accepted ones (etl/steps/history.py).

    Null rates may be `null_rate_band_points` percentage points above it; with fewer batches than
    `min_batches` nothing is compared.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    batches: Annotated[int, pydantic.Field(ge=1, le=100)]
    row_count_band_percent: Annotated[float, pydantic.Field(ge=0, le=1000)]
    null_rate_band_points: Annotated[float, pydantic.Field(ge=0, le=100)]
    min_batches: Annotated[int, pydantic.Field(ge=1)] = 1

    @pydantic.model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.min_batches > self.batches:
            raise ValueError("minBatches is more than batches, so nothing would ever be compared")
        return self


# No job may run longer: terraform/modules/quality_workflow/variables.tf bounds `timeout_minutes` by it.
LONGEST_JOB_HOURS = 48


class Maintenance(pydantic.BaseModel):
    """How the dataset's tables are kept in order; docs/maintenance.md tells what each setting does.

    Orphans are young for longer than any job may run, so a file that a writer may still commit is none.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    schedule: Annotated[str, pydantic.Field(pattern=r"^cron\(\S+( \S+){5}\)$")] = "cron(0 5 * * ? *)"
    target_file_mib: Annotated[int, pydantic.Field(ge=8, le=512)] = 128
    min_files_to_compact: Annotated[int, pydantic.Field(ge=2, le=1000)] = 5
    keep_snapshots_days: Annotated[int, pydantic.Field(ge=1, le=365)] = 7
    keep_snapshots_at_least: Annotated[int, pydantic.Field(ge=1, le=1000)] = 5
    orphan_age_hours: Annotated[int, pydantic.Field(gt=LONGEST_JOB_HOURS)] = 72


class Identity(pydantic.BaseModel):
    """The key names somebody; its column `aging_column` grows by `step` in time (etl/steps/identity.py).

    Up to `expected_split_percent` of a batch's rows may grow with it before somebody is told.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    aging_column: str
    step: Annotated[int, pydantic.Field(ge=1)] = 1
    expected_split_percent: Annotated[float, pydantic.Field(ge=0, le=100)] = 0


class CustomProperties(pydantic.BaseModel):
    """All of them, each with its default; a property that is none of these is refused."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    engine: Engine = Engine.SINGLE_NODE
    spark: SparkSize | None = None
    max_quarantine_percent: Annotated[float, pydantic.Field(ge=0, le=100)] = 0
    deduplicate: DeduplicateRule = DeduplicateRule()
    key_case: KeyCase = KeyCase.SENSITIVE
    quarantine_retention_days: Annotated[int, pydantic.Field(gt=0)]
    schema_drift: SchemaDrift = SchemaDrift.REJECT
    csv: CsvFormat = CsvFormat()
    history: HistoryBand | None = None
    maintenance: Maintenance = Maintenance()
    identity: Identity | None = None

    @pydantic.model_validator(mode="after")
    def _has_an_engine_of_that_size(self) -> Self:
        if self.spark and self.engine is Engine.SINGLE_NODE:
            raise ValueError("spark is the size of an engine that is not used; engine is single_node")
        return self
