"""The lint before a deployment: every problem of every dataset, named by its file."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from builders import EXPECTATIONS, a_csv
from typer.testing import CliRunner, Result

from scripts.check_dataset import check_all, main
from scripts.package import PackagingFailed, check_datasets, checksum


@pytest.fixture
def expectations(tmp_path: Path) -> Path:
    """A copy of what is shipped, to be spoilt."""
    return Path(shutil.copytree(EXPECTATIONS, tmp_path / "expectations"))


def problems(expectations: Path) -> list[str]:
    return [problem for one in check_all(expectations) for problem in one.problems]


def check(*arguments: Any) -> Result:
    import typer

    app = typer.Typer()
    app.command()(main)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def change_suite(folder: Path, name: str, **changes: Any) -> None:
    document = json.loads((folder / "suite.json").read_text())
    next(e for e in document["expectations"] if e["meta"]["name"] == name).update(changes)
    (folder / "suite.json").write_text(json.dumps(document))


def test_every_shipped_dataset_is_sound():
    """What lies in expectations/ can be deployed; so whoever adds a dataset has its lint in the tests."""
    checked = check_all(EXPECTATIONS)

    assert [problem for one in checked for problem in one.problems] == []
    assert {one.name for one in checked if one.suite} == {
        path.name for path in EXPECTATIONS.iterdir() if path.is_dir()
    }


def test_all_problems_of_all_datasets_are_named(expectations: Path):
    """A broken suite, a broken contract and a broken list of columns are told together, each by its file."""
    shutil.copytree(expectations / "employee", expectations / "orders")
    change_suite(expectations / "employee", "age_between", severity="fatal", description="")
    (expectations / "quarantine.yaml").write_text("properties: []\nproperties: []")
    result = check("--expectations", expectations)
    lines = result.stderr.splitlines()

    assert result.exit_code == 2
    assert [line.partition(": ")[0] for line in lines] == [
        "quarantine.yaml",
        "employee/suite.json",
        "employee/suite.json",
        "orders/contract.yaml",
        "orders/suite.json",
    ]
    assert "#19 age_between: severity 'fatal' is none of critical, warning, info" in result.stderr
    assert "it is named employee, but its folder orders" in result.stderr


def test_what_breaks_only_when_it_is_evaluated(expectations: Path):
    """A suite that loads well, and would break the gate at its first batch, is not deployed."""
    kwargs = {"column": "hire_date", "min_value": "1960-01-01"}  # a date without a time
    change_suite(expectations / "employee", "hire_date_not_in_future", kwargs=kwargs)
    (problem,) = problems(expectations)

    assert problem.startswith("employee/suite.json: hire_date_not_in_future: it cannot be evaluated: ")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda f: (f / "suite.json").unlink(), "employee: suite.json is missing; it has contract.yaml"),
        (
            lambda f: (f / "contract.yaml").rename(f / "contract.yml"),
            "employee: contract.yaml is missing; it has contract.yml, suite.json",
        ),
        (lambda f: (f.parent / "orders").mkdir(), "orders: contract.yaml is missing; it is empty"),
        (lambda f: f.rename(f.parent / "Employee"), "Employee: a dataset's name is lower case letters"),
        (lambda f: (f.parent / ".cache").mkdir(), ".cache: a dataset's name is lower case letters"),
        (lambda f: (f / "suite.json").write_bytes(b"\xff"), "employee/suite.json: it is not UTF-8"),
        (lambda f: (f / "contract.yaml").write_bytes(b"\xff"), "employee/contract.yaml: it is not UTF-8"),
        (lambda f: (f.parent / "lineage.yaml").unlink(), "lineage.yaml: it is missing"),
        (lambda f: shutil.rmtree(f), "expectations: it has no dataset"),
    ],
)
def test_folders_that_are_no_datasets(expectations: Path, spoil: Any, told: str):
    """A file that is missing, a folder astray and a text that is none are told in plain words."""
    spoil(expectations / "employee")

    assert any(problem.startswith(told) for problem in problems(expectations))


def test_a_name_that_is_no_folder(expectations: Path):
    """A misspelt dataset is told, and not taken for a sound one."""
    result = check("employees", "--expectations", expectations)

    assert (result.exit_code, result.stderr) == (2, "employees: there is no such folder in expectations/\n")


def test_a_file_is_judged_as_the_gate_would(tmp_path: Path):
    """Lines that fail are named with what they fail, and the verdict is that of the gate."""
    file = tmp_path / "employees.csv"
    header = "first_name,last_name,age,department,job_title,salary,hire_date"
    file.write_bytes(a_csv(header, "Zoë,Núñez,230,Sales,Clerk,50000,2020-01-31"))
    result = check("employee", file, "--date", "2026-11-24")

    assert result.exit_code == 0
    assert "  warning age_between: lines 2\n" in result.stdout
    assert "verdict: rejected (critical expectations failed: row_count_plausible)" in result.stdout
    file.write_bytes(b"")
    assert check("employee", file).exit_code == 3


def test_the_checksum_is_of_what_is_uploaded(expectations: Path):
    """Another suite, or another name, has another checksum; what Terraform does not upload does not count."""
    before = checksum(expectations)
    assert before == checksum(EXPECTATIONS)
    (expectations / "README.md").write_text("read this")
    assert checksum(expectations) == before
    shutil.copytree(expectations / "employee", expectations / "orders")
    more = checksum(expectations)
    change_suite(expectations / "employee", "age_between", severity="info")

    assert len({before, more, checksum(expectations)}) == 3


@pytest.mark.slow
def test_nothing_is_packaged_for_a_deployment_that_would_be_broken(expectations: Path):
    """`make package`, `make up` and `make demo` go through here: with a bad suite they stop, and say why."""
    check_datasets(expectations)
    change_suite(expectations / "employee", "age_between", severity="fatal", description="")

    with pytest.raises(PackagingFailed) as caught:
        check_datasets(expectations)
    assert "employee/suite.json: #19 age_between: severity 'fatal'" in str(caught.value)
    assert "employee/suite.json: #19 age_between: description is missing" in str(caught.value)
