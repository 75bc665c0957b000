"""Schema drift: what becomes of a file whose columns are not the contract's."""

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO

import pytest
from builders import a_contract, a_csv

from etl.contract import Contract
from etl.custom_properties import SchemaDrift
from etl.errors import FileRejected
from etl.schema_drift import Drift
from etl.steps.read_csv import ReadRows, read_rows


def evolving(required: Sequence[str] = ("name",)) -> Contract:
    contract = a_contract(name="string", age="bigint")
    columns = tuple(replace(column, required=column.name in required) for column in contract.columns)
    return replace(contract, columns=columns, schema_drift=SchemaDrift.EVOLVE)


def read(*lines: str, contract: Contract | None = None) -> ReadRows:
    return read_rows(BytesIO(a_csv(*lines)), "k", contract or evolving())


def test_a_new_column_is_read_as_text():
    """Under `evolve` an unknown column comes along as nullable text, wherever it stands, and is reported."""
    result = read("city,name,age", "Köln,Zoë,30", ",Ann,41")

    assert result.rows.to_pylist() == [
        {"city": "Köln", "name": "Zoë", "age": 30},
        {"city": None, "name": "Ann", "age": 41},
    ]
    assert result.drift == Drift(new_columns=("city",))
    assert "taken as text: city" in (result.drift.describe() or "")


def test_a_missing_optional_column_is_null():
    """Under `evolve` an optional column may be missing: it is null, of its type, and reported."""
    result = read("name,city", "Zoë,Köln")

    assert result.rows.to_pylist() == [{"name": "Zoë", "city": "Köln", "age": None}]
    assert result.rows.schema.field("age").type == evolving().columns[1].arrow_type
    assert result.drift == Drift(new_columns=("city",), missing_columns=("age",))
    assert "left empty: age" in (result.drift.describe() or "")


@pytest.mark.parametrize("policy", [*SchemaDrift])
@pytest.mark.parametrize("header", ["age", "age,city", "Name,age", "name_,age"])
def test_a_missing_required_column_always_rejects(policy: SchemaDrift, header: str):
    """No policy lets a file in whose required column is not there, by whatever other name it may be."""
    with pytest.raises(FileRejected, match="column name is missing from the header"):
        read(header, contract=replace(evolving(), schema_drift=policy))


@pytest.mark.parametrize("header", ["name", "name,age,city"])
def test_reject_takes_the_columns_of_the_contract_alone(header: str):
    """Under `reject`, the default, a missing or a new column rejects the file, required or not."""
    with pytest.raises(FileRejected):
        read(header, contract=replace(evolving(), schema_drift=SchemaDrift.REJECT))


@pytest.mark.parametrize(
    "name", ["_batch_id", "City", "Thomas Müller", "1st", "", "AGE", "city-code", "a" * 256, "größe", "a.b"]
)
def test_names_that_no_column_can_have(name: str):
    """A new column that the table could not hold, or that would be Lakegate's, rejects, and is not named."""
    with pytest.raises(
        FileRejected, match="1 of its 2 new columns have names that no column can have"
    ) as rejected:
        read(f"name,age,{name},city")

    assert not name or name not in rejected.value.problem


def test_names_differ_by_more_than_their_case():
    """Glue does not tell `firstName` and `firstname` apart, so one cannot be added beside the other."""
    contract = replace(a_contract(firstName="string"), schema_drift=SchemaDrift.EVOLVE)

    with pytest.raises(FileRejected, match="names that no column can have"):
        read("firstName,firstname", contract=contract)


@pytest.mark.parametrize("policy", [*SchemaDrift])
def test_another_order_is_matched_by_name_and_told(policy: SchemaDrift):
    """Under any policy columns are read by name; that their order is another one is reported."""
    result = read("age,name", "30,Zoë", contract=replace(evolving(), schema_drift=policy))

    assert result.rows.to_pylist() == [{"age": 30, "name": "Zoë"}]
    assert result.drift == Drift(is_reordered=True)
    assert "matched by name" in (result.drift.describe() or "")
    assert not result.drift.changes_schema


def test_a_new_column_between_others_is_no_other_order():
    """Order is about the contract's columns among themselves."""
    assert not read("name,city,age").drift.is_reordered
    assert read("name,age").drift == Drift()
    assert read("name,age").drift.describe() is None


def test_a_new_column_that_stands_twice():
    """Which of two columns with one name is meant, nobody knows."""
    with pytest.raises(FileRejected, match="a column stands twice in the header: none of the contract"):
        read("name,age,city,city")
