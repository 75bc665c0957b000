"""contract.yaml (Open Data Contract Standard v3) → Contract.

The contract is parsed once, here, and trusted afterwards. Terraform reads the same file with yamldecode.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

import pyarrow as pa
import pydantic
import yaml
from open_data_contract_standard.model import OpenDataContractStandard, SchemaProperty

from etl.contract_roles import problems_of_roles
from etl.custom_properties import (
    CsvFormat,
    CustomProperties,
    DeduplicateRule,
    Engine,
    HistoryBand,
    Identity,
    Maintenance,
    SchemaDrift,
    SparkSize,
)
from etl.errors import ContractInvalid
from etl.key import Key
from etl.strict_yaml import load_yaml

# What etl/steps adds to every row; expectations/lineage.yaml describes the same columns to Terraform.
LINEAGE_COLUMNS = (
    "_batch_date",
    "_landed_at",
    "_batch_id",
    "_object_version",
    "_run_id",
    "_ingested_at",
    "_row_hash",
)

_ARROW_TYPES = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "array<string>": pa.list_(pa.string()),
}
_WITHOUT_ORDER = {"string", "boolean", "array<string>"}
_DECIMAL = re.compile(r"decimal\((\d{1,2}),\s*(\d{1,2})\)")


class Classification(StrEnum):
    """Who may read a column: analysts read public and internal ones; stewards read all."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PII = "pii"


OPEN_TO_ANALYSTS = {Classification.PUBLIC, Classification.INTERNAL}


@dataclass(frozen=True, slots=True)
class Column:
    """`type` is the Athena type, such as bigint or decimal(12,2); no classification means stewards only."""

    name: str
    type: str
    required: bool
    classification: Classification | None
    description: str

    @property
    def is_pii(self) -> bool:
        return self.classification is Classification.PII

    @property
    def arrow_type(self) -> pa.DataType:
        if decimal := _DECIMAL.fullmatch(self.type):
            return pa.decimal128(int(decimal[1]), int(decimal[2]))
        return _ARROW_TYPES[self.type]


@dataclass(frozen=True, slots=True)
class Contract:
    """What is promised about one dataset; `max_quarantine_percent` is 0 to 100."""

    dataset: str
    version: str
    owner: str
    columns: tuple[Column, ...]
    key: Key
    freshness_hours: float
    engine: Engine
    max_quarantine_percent: float
    deduplicate: DeduplicateRule
    csv: CsvFormat
    history: HistoryBand | None
    quarantine_retention_days: int
    maintenance: Maintenance
    identity: Identity | None = None
    schema_drift: SchemaDrift = SchemaDrift.REJECT
    spark: SparkSize = field(default_factory=SparkSize)

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def pii_columns(self) -> frozenset[str]:
        return frozenset(column.name for column in self.columns if column.is_pii)

    def engine_for(self, batch_bytes: int) -> Engine:
        """What a batch of this size, as it lies in S3, is judged and merged by: never `auto`."""
        if self.engine is not Engine.AUTO:
            return self.engine
        is_large = batch_bytes > self.spark.auto_threshold_gib * 2**30
        return Engine.SPARK if is_large else Engine.SINGLE_NODE

    def with_new_columns(self, names: Iterable[str]) -> Self:
        """With columns that a file brought along: text, optional, and seen by stewards alone."""
        new = (Column(name, "string", False, None, "") for name in names if name not in self.column_names)
        return replace(self, columns=(*self.columns, *new))


def load_contract(text: str, source: str, dataset: str | None = None) -> Contract:
    """Parse a contract; `source` names it in errors, `dataset` is the name its folder gives it.

    Raises ContractInvalid with every problem found.
    """
    try:
        document = OpenDataContractStandard.model_validate(load_yaml(text))
    except yaml.YAMLError as error:
        raise ContractInvalid(source, (" ".join(str(error).split()),)) from error
    except pydantic.ValidationError as error:
        raise ContractInvalid(source, _problems(error)) from error
    schemas = document.schema_ or []
    if len(schemas) != 1 or not schemas[0].name:
        raise ContractInvalid(source, ("schema: exactly one named object is expected",))
    if dataset not in {None, schemas[0].name}:
        problem = f"schema: it is named {schemas[0].name}, but its folder {dataset}"
        raise ContractInvalid(source, (problem,))
    columns, problems = _columns(schemas[0].properties or [])
    keyed = [p for p in schemas[0].properties or [] if p.primaryKey]
    key = tuple(p.name or "" for p in sorted(keyed, key=lambda p: p.primaryKeyPosition or 0))
    if not key:
        problems.append("no property has primaryKey: true, so rows could not be merged")
    problems += [f"key column {c.name} must be required" for c in columns if c.name in key and not c.required]
    problems += [f"column {c.name}: no field of a CSV file is an {c.type}" for c in columns if "<" in c.type]
    problems += [
        f"column {c.name}: names starting with _ are Lakegate's" for c in columns if c.name[0] == "_"
    ]
    try:
        custom = CustomProperties(**{p.property or "": p.value for p in document.customProperties or []})
    except pydantic.ValidationError as error:
        problems += [f"customProperties.{problem}" for problem in _problems(error)]
    else:
        problems += _problems_of_ordering(custom.deduplicate, columns, key)
        problems += _problems_of_identity(custom.identity, columns, key)
    freshness = [p for p in document.slaProperties or [] if p.property == "freshness"]
    if len(freshness) != 1 or freshness[0].unit != "h" or not isinstance(freshness[0].value, int | float):
        problems.append("slaProperties: one `freshness` in unit h with a numeric value is expected")
    problems += _missing_for_terraform(document)
    open_types = {c.name: c.type for c in columns if c.classification in OPEN_TO_ANALYSTS}
    problems += problems_of_roles(document.roles or [], open_types)
    if problems:
        raise ContractInvalid(source, tuple(problems))
    return Contract(
        dataset=schemas[0].name,
        version=document.version or "",
        owner=getattr(document.team, "name", None) or "",
        columns=tuple(columns),
        key=Key(key, custom.key_case),
        freshness_hours=float(freshness[0].value or 0),
        engine=custom.engine,
        max_quarantine_percent=custom.max_quarantine_percent,
        deduplicate=custom.deduplicate,
        csv=custom.csv,
        history=custom.history,
        quarantine_retention_days=custom.quarantine_retention_days,
        maintenance=custom.maintenance,
        identity=custom.identity,
        schema_drift=custom.schema_drift,
        spark=custom.spark or SparkSize(),
    )


def _problems_of_ordering(
    rule: DeduplicateRule, columns: Iterable[Column], key: tuple[str, ...]
) -> Iterator[str]:
    """Text is refused too: as text 9 is greater than 10, and 2.1.2026 than 1.12.2026."""
    if (name := rule.ordering_column) is None:
        return
    place, types = "customProperties.deduplicate.orderingColumn", {c.name: c.type for c in columns}
    if name not in types:
        yield f"{place}: there is no column {name}"
    elif name in key:
        yield f"{place}: {name} is part of the key, so rows with one key do not differ in it"
    elif types[name] in _WITHOUT_ORDER:
        yield f"{place}: {name} is a {types[name]}, which has no order; take a number, a date or a timestamp"


def _problems_of_identity(
    identity: Identity | None, columns: Iterable[Column], key: tuple[str, ...]
) -> Iterator[str]:
    if identity is None:
        return
    place, types = "customProperties.identity.agingColumn", {c.name: c.type for c in columns}
    name = identity.aging_column
    if name not in key:
        yield f"{place}: {name} is not part of the key"
    elif types[name] != "bigint":
        yield f"{place}: {name} is a {types[name]}; what ages is a bigint"
    elif len(key) == 1:
        yield f"{place}: {name} is the whole key, so nothing is left that could stay the same"


def _missing_for_terraform(document: OpenDataContractStandard) -> Iterator[str]:
    """Facts that nothing in `etl` uses, without which terraform/stack/contracts.tf ends in an error."""
    frequencies = [p for p in document.slaProperties or [] if p.property == "frequency"]
    if len(frequencies) != 1 or not frequencies[0].schedule:
        yield "slaProperties: one `frequency` with a `schedule` is expected"
    promised = [p.value for p in document.slaProperties or [] if p.property == "availability"]
    if not all(isinstance(percent, int | float) and 90 <= percent < 100 for percent in promised):
        yield "slaProperties: `availability` is expected to be a number from 90 to less than 100, in percent"
    if not getattr(document.team, "name", None):
        yield "team: a name is expected; it owns the dataset"


def load_columns(text: str, source: str) -> tuple[Column, ...]:
    """Parse a bare list of columns: lineage.yaml and quarantine.yaml. Raises ContractInvalid."""
    try:
        document = load_yaml(text)
        properties = [SchemaProperty.model_validate(p) for p in document["properties"]]
    except yaml.YAMLError as error:
        raise ContractInvalid(source, (" ".join(str(error).split()),)) from error
    except pydantic.ValidationError as error:
        raise ContractInvalid(source, _problems(error)) from error
    except (KeyError, TypeError) as error:
        raise ContractInvalid(source, ("it has no list of `properties`",)) from error
    columns, problems = _columns(properties)
    if problems:
        raise ContractInvalid(source, tuple(problems))
    return tuple(columns)


def _columns(properties: Iterable[SchemaProperty]) -> tuple[list[Column], list[str]]:
    columns: list[Column] = []
    problems: list[str] = []
    for position, p in enumerate(properties, 1):
        name = p.name or f"#{position}"
        if not p.name:
            problems.append(f"column {name} has no name")
        if name in {column.name for column in columns}:
            problems.append(f"column {name} is declared twice")
        if p.physicalType not in _ARROW_TYPES and not _is_decimal(p.physicalType or ""):
            problems.append(f"column {name}: physicalType {p.physicalType!r} is not supported")
        if p.classification not in {None, *Classification}:
            problems.append(
                f"column {name}: classification {p.classification!r} is none of {[*Classification]}"
            )
        classification = next((c for c in Classification if c == p.classification), None)
        columns.append(
            Column(name, p.physicalType or "", bool(p.required), classification, p.description or "")
        )
    return columns, problems


def _is_decimal(type_name: str) -> bool:
    """Precision at most 38 and scale at most the precision: https://iceberg.apache.org/spec/#primitive-types"""
    found = _DECIMAL.fullmatch(type_name)
    return found is not None and int(found[2]) <= int(found[1]) <= 38 and int(found[1]) > 0


def _problems(error: pydantic.ValidationError) -> tuple[str, ...]:
    return tuple(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
