"""Loading and linting suites: what GX drops in silence is an error here."""

import json
import pickle
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from etl.contract import Contract, load_contract
from etl.errors import SuiteInvalid
from etl.outcome import KEY_IS_NULL, REQUIRED_IS_NULL, Severity
from etl.quality.suite import load_suite

WAGE_IS_ONE = {"type": "comparison", "column": {"name": "wage"}, "operator": "==", "parameter": 1}
FOLDER = Path(__file__).parents[2] / "expectations" / "employee"


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract((FOLDER / "contract.yaml").read_text(), "employee/contract.yaml")


@pytest.fixture
def document() -> dict[str, Any]:
    return json.loads((FOLDER / "suite.json").read_text())


def an_entry(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(entry for entry in document["expectations"] if entry["meta"]["name"] == name)


def an_expectation(expectation_type: str, name: str = "extra", **kwargs: Any) -> dict[str, Any]:
    return {
        "type": expectation_type,
        "kwargs": kwargs,
        "severity": "warning",
        "description": "Something is so.",
        "meta": {"name": name, "owner": "people-data"},
    }


def problems_of(document: dict[str, Any], contract: Contract) -> tuple[str, ...]:
    with pytest.raises(SuiteInvalid) as caught:
        load_suite(json.dumps(document), "employee/suite.json", contract)
    return caught.value.problems


def test_the_employee_suite_is_sound(document: dict[str, Any], contract: Contract):
    """The suite of the sample dataset loads, complete and in the order of the file."""
    suite = load_suite(json.dumps(document), "employee/suite.json", contract)

    assert suite.name == "employee"
    assert [e.name for e in suite.expectations] == [e["meta"]["name"] for e in document["expectations"]]
    assert len(suite.gx_suite.expectations) == len(document["expectations"]) == 27
    assert {e.severity for e in suite.expectations} == set(Severity)


def test_gx_itself_loads_the_suite(document: dict[str, Any]):
    """The file is GX's own format: GX loads each entry, and gives back the severities."""
    import great_expectations as gx

    import etl.quality.age_on_date  # noqa: F401  registers our expectation, as suites that use it need

    loaded = gx.ExpectationSuite(**deepcopy(document))

    assert [e.severity.value for e in loaded.expectations] == [
        e["severity"] for e in document["expectations"]
    ]


def test_departments_are_those_of_the_sample_company(document: dict[str, Any]):
    """The generator and the suite agree on the departments."""
    people = json.loads((FOLDER.parents[1] / "scripts" / "sample_people.json").read_text())

    assert set(an_entry(document, "department_known")["kwargs"]["value_set"]) == set(people["departments"])


def test_fingerprint_ignores_layout_but_not_content(document: dict[str, Any], contract: Contract):
    """Two files that say the same have one fingerprint; a changed bound has another."""
    spaced = load_suite(json.dumps(document, indent=8), "a", contract)
    reordered = load_suite(json.dumps(dict(reversed(document.items()))), "b", contract)
    an_entry(document, "age_between")["kwargs"]["max_value"] = 101

    assert spaced.fingerprint == reordered.fingerprint
    assert load_suite(json.dumps(document), "c", contract).fingerprint != spaced.fingerprint


def test_text_that_is_not_json_names_the_place(contract: Contract):
    """A syntax error is reported with its line."""
    with pytest.raises(SuiteInvalid, match="line 2") as caught:
        load_suite('{\n "name": }', "employee/suite.json", contract)

    assert caught.value.retryable is False


@pytest.mark.parametrize("document", [[], {}, {"name": "employee", "expectations": []}, "employee"])
def test_nothing_to_check_is_not_a_pass(document: Any, contract: Contract):
    """An empty suite, which GX calls a success, cannot be used."""
    assert problems_of(document, contract)


def test_unknown_expectation_type(document: dict[str, Any], contract: Contract):
    """A type that GX does not know, and would drop, is named."""
    an_entry(document, "age_between")["type"] = "expect_column_values_to_be_betwen"

    assert any("age_between: type 'expect_column_values_to_be_betwen' is not known" in p
               for p in problems_of(document, contract))  # fmt: skip


@pytest.mark.parametrize("severity", ["fatal", "", None, 3, "CRITICAL"])
def test_severity_outside_the_closed_set(document: dict[str, Any], contract: Contract, severity: Any):
    """A severity that GX would log and drop is an error."""
    an_entry(document, "age_between")["severity"] = severity

    assert any("severity" in p and "age_between" in p for p in problems_of(document, contract))


@pytest.mark.parametrize("field", ["severity", "description", "meta"])
def test_what_a_reviewer_needs_is_required(document: dict[str, Any], contract: Contract, field: str):
    """Every expectation states severity, description, name and owner."""
    del document["expectations"][3][field]

    assert problems_of(document, contract)


@pytest.mark.parametrize("field", ["name", "owner"])
def test_name_and_owner_may_not_be_blank(document: dict[str, Any], contract: Contract, field: str):
    """A blank name or owner is a missing one."""
    document["expectations"][3]["meta"][field] = "  "

    assert any(f"meta.{field} is missing" in p for p in problems_of(document, contract))


@pytest.mark.parametrize(
    "kwargs",
    [
        {"column": "wage"},
        {"column_A": "age", "column_B": "wage"},
        {"column_list": ["age", "wage"]},
        {"column": "age", "row_condition": WAGE_IS_ONE},
        {"column": "age", "row_condition": {"type": "and", "conditions": [WAGE_IS_ONE, WAGE_IS_ONE]}},
    ],
)
def test_unknown_columns(document: dict[str, Any], contract: Contract, kwargs: dict[str, Any]):
    """A column that the contract does not have is an error, wherever it is named."""
    types = {
        "column": "expect_column_values_to_not_be_null",
        "column_A": "expect_column_pair_values_to_be_equal",
        "column_list": "expect_compound_columns_to_be_unique",
    }
    document["expectations"].append(an_expectation(types[next(iter(kwargs))], **kwargs))

    assert any("column 'wage' is not in the contract" in p for p in problems_of(document, contract))


@pytest.mark.parametrize("value", [5, "age", {"age": 1}, [["age"]], None])
def test_columns_that_are_no_list_of_names(document: dict[str, Any], contract: Contract, value: Any):
    """Arguments of a wrong kind are a problem of their entry, and no crash."""
    document["expectations"].append(an_expectation("expect_compound_columns_to_be_unique", column_list=value))

    assert any("extra: kwargs" in p for p in problems_of(document, contract))


@pytest.mark.parametrize(
    "condition",
    [
        5,
        "age > 3",
        {"type": "pass_through", "pass_through_filter": "age > 3"},
        {"type": "and", "conditions": [{"type": "or_else"}]},
        {"column": {"name": "age"}, "operator": ">", "parameter": 3},
        {"type": "comparison", "column": "age", "operator": ">", "parameter": 3},
        {"type": "comparison", "column": {"name": "age"}, "operator": "~", "parameter": 3},
    ],
)
def test_conditions_that_cannot_be_checked(document: dict[str, Any], contract: Contract, condition: Any):
    """A condition is an object whose columns can be told; text that GX hands to pandas is refused."""
    an_entry(document, "age_between")["kwargs"]["row_condition"] = condition

    assert any(p.startswith("#19 age_between: ") for p in problems_of(document, contract))


@pytest.mark.parametrize("argument", ["result_format", "catch_exceptions", "batch_id", "condition_parser"])
def test_what_the_gate_decides(document: dict[str, Any], contract: Contract, argument: str):
    """How results are given and errors caught is not the suite's to say: the gate relies on both."""
    an_entry(document, "age_between")["kwargs"][argument] = "BASIC"

    assert any(f"kwargs: {argument} cannot be set here" in p for p in problems_of(document, contract))


@pytest.mark.parametrize("name", [REQUIRED_IS_NULL, f"{KEY_IS_NULL}: age"])
def test_the_gates_own_reasons(document: dict[str, Any], contract: Contract, name: str):
    """The names that quarantined rows carry for a missing required value are no expectation's."""
    an_entry(document, "age_between")["meta"]["name"] = name

    assert any(f"meta.name {name} is the gate's own" in p for p in problems_of(document, contract))


def test_fields_that_gx_does_not_know(document: dict[str, Any], contract: Contract):
    """A misspelt field beside type and kwargs is refused."""
    an_entry(document, "age_between")["serverity"] = "info"

    assert any("serverity" in p for p in problems_of(document, contract))


def test_a_fact_that_is_stated_twice(document: dict[str, Any], contract: Contract):
    """Of two severities in one object Python and GX would take the last, whatever the reader sees first."""
    text = json.dumps(document).replace('"severity": "info"', '"severity": "info", "severity": "critical"', 1)

    with pytest.raises(SuiteInvalid, match="an object states 'severity' twice"):
        load_suite(text, "s", contract)


def test_numbers_that_json_does_not_have(document: dict[str, Any], contract: Contract):
    """NaN as a bound would let anything pass."""
    an_entry(document, "age_between")["kwargs"]["max_value"] = float("nan")

    assert problems_of(document, contract) == ("NaN is no JSON number",)


def test_row_conditions_as_text(document: dict[str, Any], contract: Contract):
    """A condition in GX's old text form, whose columns cannot be checked, is refused."""
    an_entry(document, "age_between")["kwargs"]["row_condition"] = 'col("wage") > 1'

    assert any("row_condition is text" in p for p in problems_of(document, contract))


def test_arguments_that_gx_refuses(document: dict[str, Any], contract: Contract):
    """Arguments that an expectation does not take are an error."""
    an_entry(document, "age_between")["kwargs"]["maximum"] = 3

    assert any("age_between: kwargs" in p for p in problems_of(document, contract))


def test_parameters_that_nobody_supplies(document: dict[str, Any], contract: Contract):
    """A parameter that the gate does not supply would break at run time; so would a formula."""
    an_entry(document, "age_between")["kwargs"]["max_value"] = {"$PARAMETER": "oldest"}
    an_entry(document, "row_count_usual")["kwargs"]["min_value"] = {"$PARAMETER": "usual_rows_min / 2"}
    problems = problems_of(document, contract)

    assert any(
        "parameter 'oldest' is none of batch_date, next_date, usual_non_null_min_age" in p for p in problems
    )
    assert any("parameter 'usual_rows_min / 2' is none of" in p for p in problems)


def test_the_usual_needs_a_band(document: dict[str, Any], contract: Contract):
    """A suite that speaks of what is usual is refused while the contract does not say how much is usual."""
    problems = problems_of(document, replace(contract, history=None))

    assert len(problems) == 3
    assert all("needs `history` among the contract's customProperties" in problem for problem in problems)


@pytest.mark.parametrize(
    ("name", "argument", "value"),
    [
        ("department_known", "value_set", [{"$PARAMETER": "batch_date"}]),
        ("age_between", "row_condition", WAGE_IS_ONE | {"parameter": {"$PARAMETER": "batch_date"}}),
        ("age_between", "min_value", {"$PARAMETER": "batch_date", "$PARAMETER.batch_date": 3}),
    ],
)
def test_parameters_where_gx_does_not_fill_them_in(
    document: dict[str, Any], contract: Contract, name: str, argument: str, value: Any
):
    """GX compares with a parameter inside a list as it stands, and believes a value beside it."""
    an_entry(document, name)["kwargs"][argument] = value

    assert any(
        f"{name}: {argument}: a parameter is a whole argument" in p for p in problems_of(document, contract)
    )


def test_repeated_names_and_repeated_expectations(document: dict[str, Any], contract: Contract):
    """Two expectations with one name, or with one meaning, are an error."""
    document["expectations"].append(deepcopy(an_entry(document, "age_between")))
    problems = problems_of(document, contract)

    assert any("name 'age_between' is used 2 times" in p for p in problems)
    assert any("it repeats" in p for p in problems)


@pytest.mark.parametrize(
    "entry",
    [
        an_expectation("expect_column_most_common_value_to_be_in_set", column="last_name", value_set=["x"]),
        an_expectation("expect_column_max_to_be_between", column="first_name", min_value="a"),
        an_expectation("expect_column_min_to_be_between", column="first_name", min_value="a"),
        an_expectation("expect_column_distinct_values_to_be_in_set", column="last_name", value_set=["x"]),
        an_expectation("expect_column_distinct_values_to_contain_set", column="last_name", value_set=["x"]),
        an_expectation("expect_column_values_to_be_in_set", column="last_name", value_set=["x"]),
        an_expectation("expect_column_values_to_not_be_in_set", column="last_name", value_set=["x"]),
    ],
    ids=lambda entry: entry["type"],
)
def test_expectations_that_would_publish_names(
    document: dict[str, Any], contract: Contract, entry: dict[str, Any]
):
    """On a PII column nothing may be asked whose result, or whose arguments, are values."""
    document["expectations"].append(entry)

    assert any("would publish values of the private column" in p for p in problems_of(document, contract))


@pytest.mark.parametrize(
    "condition",
    [
        {"type": "comparison", "column": {"name": "last_name"}, "operator": "==", "parameter": "Núñez"},
        {"type": "comparison", "column": {"name": "last_name"}, "operator": "IN", "parameter": ["Núñez"]},
        {
            "type": "comparison",
            "column": {"name": "last_name"},
            "operator": "==",
            "parameter": "Núñez",
            "conditions": [],  # which GX overlooks
        },
    ],
)
@pytest.mark.parametrize("joined", [False, True])
def test_conditions_that_would_publish_names(
    document: dict[str, Any], contract: Contract, condition: dict[str, Any], joined: bool
):
    """A condition is shown with its expectation: of a private column it may ask for presence only."""
    given = {"type": "nullity", "column": {"name": "last_name"}, "is_null": False}
    kwargs = an_entry(document, "salary_between")["kwargs"]
    kwargs["row_condition"] = {"type": "and", "conditions": [given, condition]} if joined else condition
    (problem,) = problems_of(document, contract)
    kwargs["row_condition"] = given

    assert "row_condition would publish what it compares the private column last_name with" in problem
    assert "Núñez" not in problem
    assert load_suite(json.dumps(document), "s", contract)


@pytest.mark.parametrize(
    "entry",
    [
        an_expectation("expect_column_pair_values_to_be_in_set", column_A="age", column_B="last_name",
                       value_pairs_set=[[30, "x"]]),
        an_expectation("expect_column_kl_divergence_to_be_less_than", column="last_name", threshold=1,
                       partition_object={"values": ["x"], "weights": [1]}),
    ],
    ids=lambda entry: entry["type"],
)  # fmt: skip
def test_pairs_and_distributions_of_names(
    document: dict[str, Any], contract: Contract, entry: dict[str, Any]
):
    """One private column among two is enough, and a distribution is a list of values too."""
    document["expectations"].append(entry)

    assert any(
        "would publish values of the private column last_name" in p for p in problems_of(document, contract)
    )


def test_every_type_of_gxs_gallery_is_known_to_be_safe_or_refused_on_names():
    """Of all that GX can ask of one column, what shows values of it is refused on private ones.

    A type that a later GX adds is refused until somebody has looked at what it shows, unless it judges rows.
    """
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    from etl.quality.gallery import judges_rows
    from etl.quality.lint import _is_safe_on_private

    known = [
        name for name in list_registered_expectation_implementations() if name.startswith("expect_column_")
    ]
    safe = {name for name in known if _is_safe_on_private(name) and not judges_rows(name)}

    assert len(known) > 45
    assert safe == {
        "expect_column_proportion_of_non_null_values_to_be_between",
        "expect_column_proportion_of_unique_values_to_be_between",
        "expect_column_to_exist",
        "expect_column_type_to_be",
        "expect_column_unique_value_count_to_be_between",
    }


def test_the_same_expectations_are_welcome_on_open_columns(document: dict[str, Any], contract: Contract):
    """What is banned on a PII column is not banned as such."""
    document["expectations"].append(
        an_expectation("expect_column_max_to_be_between", column="age", max_value=99)
    )

    assert len(load_suite(json.dumps(document), "s", contract).expectations) == 28


def test_an_unclassified_column_counts_as_private(document: dict[str, Any]):
    """A column that nobody classified is closed to analysts, so its values are not published either."""
    text = (FOLDER / "contract.yaml").read_text()
    age = text.index("- name: age")
    unclassified = text[:age] + text[age:].replace("        classification: internal\n", "", 1)
    document["expectations"].append(
        an_expectation("expect_column_max_to_be_between", column="age", max_value=99)
    )

    assert any("private column age" in p for p in problems_of(document, load_contract(unclassified, "c")))


@pytest.mark.parametrize("name", ["unexpected_rows_expectation", "expect_query_results_to_match_comparison"])
def test_expectations_that_need_a_database(document: dict[str, Any], contract: Contract, name: str):
    """Expectations that query a database cannot judge rows that are in none."""
    document["expectations"].append(an_expectation(name))

    assert any("needs a database" in p for p in problems_of(document, contract))


def test_all_problems_are_listed_at_once(document: dict[str, Any], contract: Contract):
    """Whoever mends a suite sees everything that is wrong with it."""
    document["name"] = "staff"
    del document["expectations"][2]["severity"]
    document["expectations"][4]["kwargs"]["column"] = "wage"
    document["expectations"].append("not an expectation")
    problems = problems_of(document, contract)

    assert len(problems) == 4
    assert problems[0] == "its name must be employee"


def test_a_suite_that_gx_understands_in_part_is_refused(
    document: dict[str, Any], contract: Contract, monkeypatch: pytest.MonkeyPatch
):
    """If GX drops an entry that the lint let pass, the counts differ, and that is an error."""
    import great_expectations as gx

    monkeypatch.setattr(gx, "ExpectationSuite", lambda **kwargs: type("S", (), {"expectations": [1, 2]}))

    assert problems_of(document, contract) == ("GX understood 2 of its 27 expectations",)


def test_the_error_survives_pickling(contract: Contract):
    """SuiteInvalid crosses process borders with its facts."""
    with pytest.raises(SuiteInvalid) as caught:
        load_suite("{}", "s", contract)
    again = pickle.loads(pickle.dumps(caught.value))

    assert (again.source, again.problems) == (caught.value.source, caught.value.problems)
