"""Parsing contracts: everything that is wrong is said at once, and nothing wrong is used."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
import yaml
from builders import EXPECTATIONS, the_employee_contract, the_lineage_columns, the_quarantine_columns

from etl.contract import LINEAGE_COLUMNS, Classification, Contract, load_columns, load_contract
from etl.custom_properties import DeduplicateRule, Engine, Identity, Keep, SchemaDrift
from etl.errors import ContractInvalid
from etl.key import KeyCase
from etl.quality.redaction import private_columns

Document = dict[str, Any]
NAMES = ("first_name", "last_name")


def changed(change: Callable[[Document], Any]) -> Contract:
    """The employee contract after `change`, parsed."""
    document = yaml.safe_load((EXPECTATIONS / "employee" / "contract.yaml").read_text())
    change(document)
    return load_contract(yaml.safe_dump(document, sort_keys=False), "employee/contract.yaml")


def column(document: Document, name: str) -> Document:
    return next(p for p in document["schema"][0]["properties"] if p["name"] == name)


def custom(document: Document, name: str) -> Document:
    return next(p for p in document["customProperties"] if p["property"] == name)


def by(column: str) -> Document:
    return {"keep": "greatest", "orderingColumn": column}


def test_the_employee_contract_says_what_it_says():
    """Columns, key order, PII, policy and engine come out as the file states them."""
    contract = the_employee_contract()

    assert contract.dataset == "employee"
    assert contract.key.columns == ("first_name", "last_name", "age")
    assert contract.pii_columns == {"first_name", "last_name"}
    assert contract.columns[2].arrow_type == pa.int64()
    assert contract.columns[2].classification is Classification.INTERNAL
    assert (contract.max_quarantine_percent, contract.freshness_hours) == (5, 24)
    assert (contract.engine, contract.deduplicate) == (Engine.SINGLE_NODE, DeduplicateRule())
    assert (contract.csv.delimiter, contract.csv.quote, contract.csv.encoding) == (",", '"', "utf-8")


def test_key_order_is_the_position_and_not_the_place_in_the_file():
    """primaryKeyPosition orders the key."""
    contract = changed(lambda d: column(d, "age").update(primaryKeyPosition=0))

    assert contract.key.columns == ("age", "first_name", "last_name")


def test_schema_drift_is_rejected_unless_the_contract_says_otherwise():
    """`reject` is the default; `evolve` is the only other policy."""
    evolving = changed(lambda d: custom(d, "schemaDrift").update(value="evolve"))
    silent = changed(lambda d: d["customProperties"].remove(custom(d, "schemaDrift")))

    assert evolving.schema_drift is SchemaDrift.EVOLVE
    assert silent.schema_drift is the_employee_contract().schema_drift is SchemaDrift.REJECT


def test_which_duplicate_is_kept():
    """A bare word is the rule without a column; `greatest` names one. Left out, the last is kept."""
    greatest = changed(lambda d: custom(d, "deduplicate").update(value=by("hire_date")))
    silent = changed(lambda d: d["customProperties"].remove(custom(d, "deduplicate")))

    assert greatest.deduplicate == DeduplicateRule(keep=Keep.GREATEST, orderingColumn="hire_date")
    assert silent.deduplicate == the_employee_contract().deduplicate
    assert silent.deduplicate.keep is Keep.LAST_IN_FILE


def test_case_counts_in_a_key_unless_the_contract_says_otherwise():
    """`sensitive` is the default."""
    insensitive = changed(lambda d: custom(d, "keyCase").update(value="insensitive"))
    silent = changed(lambda d: d["customProperties"].remove(custom(d, "keyCase")))

    assert insensitive.key.case is KeyCase.INSENSITIVE
    assert silent.key == the_employee_contract().key


def test_a_key_names_somebody_only_if_the_contract_says_so():
    """Which column ages, and by how much, 1 if left out; without it nothing is suspected."""
    yearly = changed(lambda d: custom(d, "identity")["value"].pop("step"))
    silent = changed(lambda d: d["customProperties"].remove(custom(d, "identity")))

    known = Identity(agingColumn="age", step=1, expectedSplitPercent=1)
    assert yearly.identity == known == the_employee_contract().identity
    assert silent.identity is None


def test_new_columns_are_text_that_nobody_classified():
    """Columns that a file brings along come behind the contract's, optional, and open to stewards alone."""
    contract = the_employee_contract().with_new_columns(["city", "age"])

    assert contract.column_names == (*the_employee_contract().column_names, "city")
    assert (contract.columns[-1].type, contract.columns[-1].required) == ("string", False)
    assert "city" in private_columns(contract)


def test_decimals_are_exact():
    """decimal(p,s) becomes Arrow's decimal of that precision and scale."""
    contract = changed(lambda d: column(d, "salary").update(physicalType="decimal(12, 2)"))

    assert contract.columns[5].arrow_type == pa.decimal128(12, 2)


def sized(document: Document, size: dict[str, Any], engine: str = "auto") -> None:
    custom(document, "engine")["value"] = engine
    document["customProperties"].append({"property": "spark", "value": size})


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda d: d.pop("schema"), "schema: exactly one named object is expected"),
        (lambda d: d["schema"].append(d["schema"][0]), "schema: exactly one named object is expected"),
        (lambda d: d["schema"][0].update(properties="all"), "schema.0.properties"),
        (lambda d: column(d, "age").pop("name"), "column #3 has no name"),
        (lambda d: column(d, "age").update(name="salary"), "column salary is declared twice"),
        (lambda d: column(d, "age").update(name="_age"), "column _age: names starting with _ are Lakegate's"),
        (lambda d: column(d, "age").update(physicalType="int"), "physicalType 'int' is not supported"),
        (lambda d: column(d, "age").pop("physicalType"), "physicalType None is not supported"),
        (lambda d: column(d, "salary").update(physicalType="decimal(39,2)"), r"decimal\(39,2\)' is not supp"),
        (lambda d: column(d, "salary").update(physicalType="decimal(2,3)"), r"decimal\(2,3\)' is not supp"),
        (lambda d: column(d, "department").update(physicalType="array<string>"), "no field of a CSV file"),
        (lambda d: column(d, "age").update(classification="secret"), "classification 'secret' is none of"),
        (lambda d: column(d, "age").update(required=False), "key column age must be required"),
        (lambda d: [p.pop("primaryKey", None) for p in d["schema"][0]["properties"]], "no property has prim"),
        (lambda d: custom(d, "engine").update(value="magic"), "customProperties.engine"),
        (lambda d: custom(d, "engine").update(property="motor"), "customProperties.motor: Extra inputs"),
        (lambda d: custom(d, "maxQuarantinePercent").update(value=101), "customProperties.maxQuarantineP"),
        (lambda d: custom(d, "deduplicate").update(value="first"), "customProperties.deduplicate"),
        (
            lambda d: custom(d, "deduplicate").update(value="greatest"),
            "orderingColumn goes with keep: greatest",
        ),
        (
            lambda d: custom(d, "deduplicate").update(value=by("salary") | {"keep": "last_in_file"}),
            "goes with",
        ),
        (lambda d: custom(d, "deduplicate").update(value=by("rank")), "there is no column rank"),
        (lambda d: custom(d, "deduplicate").update(value=by("job_title")), "is a string, which has no order"),
        (lambda d: custom(d, "deduplicate").update(value=by("age")), "age is part of the key"),
        (lambda d: custom(d, "keyCase").update(value="lower"), "customProperties.keyCase"),
        (lambda d: custom(d, "identity")["value"].update(agingColumn="pay"), "pay is not part of the key"),
        (lambda d: custom(d, "identity")["value"].update(agingColumn="last_name"), "what ages is a bigint"),
        (lambda d: [column(d, name).pop("primaryKey") for name in NAMES], "age is the whole key, so nothing"),
        (lambda d: custom(d, "identity")["value"].update(step=0), "customProperties.identity.step"),
        (lambda d: custom(d, "schemaDrift").update(value="ignore"), "customProperties.schemaDrift"),
        (lambda d: custom(d, "csv")["value"].update(delimiter=";;"), "customProperties.csv.delimiter"),
        (lambda d: custom(d, "csv")["value"].update(delimiter="§"), "customProperties.csv.delimiter"),
        (lambda d: custom(d, "csv")["value"].update(delimiter='"'), "delimiter and quote are the same"),
        (lambda d: custom(d, "csv")["value"].update(encoding="base64"), "'base64' is no encoding"),
        (lambda d: sized(d, {}, engine="single_node"), "spark is the size of an engine that is not used"),
        (lambda d: sized(d, {"workerType": "G.9X"}), "customProperties.spark.workerType"),
        (lambda d: sized(d, {"maxWorkers": 1}), "customProperties.spark.maxWorkers"),
        (lambda d: sized(d, {"autoThresholdGib": 0}), "customProperties.spark.autoThresholdGib"),
        (lambda d: custom(d, "csv")["value"].update(encoding="utf-99"), "customProperties.csv.encoding"),
        (lambda d: custom(d, "maintenance")["value"].update(orphanAgeHours=48), "orphanAgeHours: .* than 48"),
        (lambda d: custom(d, "maintenance")["value"].update(schedule="cron(0 5 * * *)"), "nance.schedule"),
        (lambda d: custom(d, "maintenance")["value"].update(keepForever=True), "maintenance.keepForever"),
        (lambda d: d.pop("slaProperties"), "slaProperties: one `freshness`"),
        (lambda d: d["slaProperties"][0].update(unit="d"), "slaProperties: one `freshness`"),
        (lambda d: d["slaProperties"][0].update(value="daily"), "slaProperties: one `freshness`"),
    ],
)
def test_what_cannot_be_used_is_named(change: Callable[[Document], Any], problem: str):
    """Each mistake is an error that names the place, and no retry helps."""
    with pytest.raises(ContractInvalid, match=problem) as caught:
        changed(change)

    assert "employee/contract.yaml" in str(caught.value)
    assert not caught.value.retryable


def test_auto_takes_spark_for_large_batches():
    """With `auto` a batch's size decides, against the contract's threshold; else the engine is stated."""
    auto = changed(lambda d: sized(d, {"autoThresholdGib": 0.5}))
    assert [auto.engine_for(size) for size in (2**29, 2**29 + 1)] == [Engine.SINGLE_NODE, Engine.SPARK]
    spark = changed(lambda d: sized(d, {}, engine="spark"))
    assert spark.engine_for(0) is Engine.SPARK
    assert the_employee_contract().engine_for(2**50) is Engine.SINGLE_NODE


@pytest.mark.parametrize("text", ["", "[]", "a: [", "just text", "kind: DataContract"])
def test_text_that_is_no_contract(text: str):
    """Text that is not YAML, or no contract, is ContractInvalid too."""
    with pytest.raises(ContractInvalid):
        load_contract(text, "x")


def a_role(name: str = "sales", column: Any = "department", value: Any = "Sales") -> Document:
    rows = {"property": "rows", "value": {"column": column, "value": value}}
    return {"role": name, "access": "read", "customProperties": [rows]}


@pytest.mark.parametrize(
    ("roles", "problem"),
    [
        ([a_role("Sales EMEA")], "roles.Sales EMEA: a role is named in kebab-case"),
        ([a_role(), a_role()], "roles.sales: it is there twice"),
        (
            [a_role(column="first_name")],
            "roles.sales: first_name is no text column that is public or internal",
        ),
        ([a_role(column="age")], "roles.sales: age is no text column"),
        ([a_role(column="team")], "roles.sales: team is no text column"),
        ([a_role(value=7)], "roles.sales: one custom property `rows` is expected"),
        ([{"role": "sales"}], "roles.sales: one custom property `rows` is expected"),
    ],
)
def test_a_role_reads_the_rows_of_an_open_column(roles: list[Document], problem: str):
    """A role that could not be made, or whose rows a hidden column tells apart, is refused by name."""
    with pytest.raises(ContractInvalid, match=problem):
        changed(lambda d: d.update(roles=roles))
    changed(lambda d: d.update(roles=[a_role(), a_role("sales-emea", "job_title")]))


def test_all_problems_are_told_at_once():
    """Whoever mends a contract sees everything that is wrong with it."""

    def break_three_things(document: Document) -> None:
        column(document, "salary")["physicalType"] = "money"
        column(document, "age")["required"] = False
        custom(document, "engine")["value"] = "magic"

    with pytest.raises(ContractInvalid) as caught:
        changed(break_three_things)

    assert len(caught.value.problems) == 3


def test_lineage_and_quarantine_columns_are_those_that_the_code_writes():
    """lineage.yaml lists what add_lineage adds; what names somebody in quarantine.yaml is for stewards."""
    assert tuple(c.name for c in the_lineage_columns()) == LINEAGE_COLUMNS
    closed = {c.name for c in the_quarantine_columns() if c.classification is None}
    assert closed == {"object_key", "object_version", "row_text", "suite_fingerprint"}


def test_a_list_of_columns_is_checked_like_a_contract():
    """lineage.yaml and quarantine.yaml obey the same rules."""
    with pytest.raises(ContractInvalid, match="physicalType 'money' is not supported"):
        load_columns("properties:\n- {name: a, physicalType: money}", "lineage.yaml")


def history(**changes: Any) -> Callable[[Document], Any]:
    return lambda document: custom(document, "history")["value"].update(changes)


def test_the_band_of_the_usual_is_the_contracts():
    """How many batches are looked at, and how far a batch may be from them, stands in the contract."""
    band = changed(history(minBatches=3)).history

    assert band is not None
    assert (band.batches, band.min_batches) == (14, 3)
    assert (band.row_count_band_percent, band.null_rate_band_points) == (30, 2)


def test_a_contract_without_history_compares_with_nothing():
    """`history` is optional."""
    assert changed(lambda d: d["customProperties"].remove(custom(d, "history"))).history is None


@pytest.mark.parametrize(
    "change",
    [
        {"batches": 0},
        {"batches": 101},
        {"rowCountBandPercent": -1},
        {"nullRateBandPoints": 101},
        {"minBatches": 0},
        {"minBatches": 15},
        {"rowCountBand": 3},
        {"rowCountBandPercent": "a third"},
    ],
)
def test_a_band_that_makes_no_sense(change: dict[str, Any]):
    """Figures that are out of range, unknown or no numbers are a problem of the contract, named by it."""
    with pytest.raises(ContractInvalid, match=r"customProperties\.history"):
        changed(history(**change))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda d: d["slaProperties"].pop(2), "one `frequency` with a `schedule`"),
        (lambda d: d["slaProperties"][1].update(value=100), "from 90 to less than 100"),
        (lambda d: d["slaProperties"][2].pop("schedule"), "one `frequency` with a `schedule`"),
        (lambda d: d["team"].pop("name"), "team: a name is expected"),
        (
            lambda d: d["customProperties"].remove(custom(d, "quarantineRetentionDays")),
            r"customProperties\.quarantineRetentionDays",
        ),
    ],
)
def test_what_only_terraform_reads_is_asked_for_too(change: Callable[[Document], Any], problem: str):
    """A contract without it would end in an error of Terraform that names neither file nor fact."""
    with pytest.raises(ContractInvalid, match=problem):
        changed(change)


@pytest.mark.parametrize(
    "text",
    [
        "properties: [",
        "columns: []",
        "[]",
        "properties:\n- {nome: a}",
        "properties:\n- {name: a}\nproperties: []",
    ],
)
def test_a_list_of_columns_that_is_none(text: str):
    """Whatever is wrong with the file is ContractInvalid, which names it."""
    with pytest.raises(ContractInvalid, match=r"lineage\.yaml"):
        load_columns(text, "lineage.yaml")


def test_a_fact_that_is_stated_twice():
    """Of two classifications of one column neither is believed; the message says on which line."""
    text = (EXPECTATIONS / "employee" / "contract.yaml").read_text()
    once = "        classification: pii\n"

    with pytest.raises(ContractInvalid, match=r"'classification' stands twice in one mapping .* line 40"):
        load_contract(text.replace(once, once + "        classification: internal\n", 1), "c")
