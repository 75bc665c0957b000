"""What holds for every Terraform file, read as text."""

import re
from collections.abc import Iterator
from pathlib import Path

import hcl2
import pytest

from scripts.offline_aws.spark_runtime import GLUE_CATALOG
from scripts.terraform_docs import read_module

TERRAFORM = Path(__file__).resolve().parents[2] / "terraform"
SOURCES = sorted(TERRAFORM.rglob("*.tf"))
ENVIRONMENTS = sorted(folder for folder in (TERRAFORM / "environments").iterdir() if folder.is_dir())

# A quoted string that ends in *: what an IAM statement calls "any".
_ANY = re.compile(r'"[^"\n]*\*"')


def _statement_lines(source: Path) -> Iterator[tuple[int, str]]:
    """Lines inside the statements of policy documents, with their numbers."""
    depth = 0
    for number, line in enumerate(source.read_text().splitlines(), start=1):
        code = line.split(" # ")[0]
        if depth == 0 and not re.match(r"\s*statement \{", code):
            continue
        depth += code.count("{") - code.count("${") - code.count("}") + len(re.findall(r"\$\{[^}]*\}", code))
        yield number, line


def test_every_star_in_a_policy_says_why():
    """Whoever writes "any" into an IAM statement says, on the same line, why nothing narrower works."""
    unexplained = [
        f"{source.relative_to(TERRAFORM)}:{number}: {line.strip()}"
        for source in SOURCES
        for number, line in _statement_lines(source)
        if _ANY.search(line.split(" # ")[0])
        and " # " not in line
        and 'identifiers = ["*"]' not in line  # explained on the line of its type
    ]
    assert not unexplained, "\n".join(unexplained)


def test_policies_were_found():
    """The rule above reads statements, and there are some."""
    assert sum(1 for source in SOURCES for _ in _statement_lines(source)) > 200


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda folder: folder.name)
def test_an_environment_holds_values_only(environment: Path):
    """An environment calls the stack and nothing else: no resource, no data source, no other module."""
    text = "\n".join(source.read_text() for source in environment.glob("*.tf"))
    assert not re.findall(r'^(?:resource|data) "', text, re.MULTILINE)
    assert re.findall(r'^module "(\w+)"', text, re.MULTILINE) == ["stack"]


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda folder: folder.name)
def test_an_environment_answers_what_the_stack_answers(environment: Path):
    """Scripts find the same outputs, whichever environment was applied."""
    names = [
        re.findall(r'^output "(\w+)"', (folder / "outputs.tf").read_text(), re.MULTILINE)
        for folder in (TERRAFORM / "stack", environment)
    ]
    assert names[0] == names[1]


@pytest.mark.parametrize("root", [*ENVIRONMENTS, TERRAFORM / "bootstrap"], ids=lambda folder: folder.name)
def test_the_lock_file_serves_every_platform(root: Path):
    """The lock file holds the published hashes, so that init passes on Linux, macOS and Windows alike."""
    lock = (root / ".terraform.lock.hcl").read_text()
    assert len(re.findall(r'"h1:', lock)) == 3
    assert len(re.findall(r'"zh:[0-9a-f]{64}"', lock)) == 15
    assert lock == (ENVIRONMENTS[0] / ".terraform.lock.hcl").read_text()


def test_no_dataset_is_named():
    """What Terraform knows of a dataset it reads from the dataset's folder."""
    expectations = TERRAFORM.parent / "expectations"
    datasets = [contract.parent.name for contract in expectations.glob("*/contract.yaml")]
    assert datasets
    named = [
        f"{source.relative_to(TERRAFORM)}: {dataset}"
        for source in SOURCES
        for dataset in datasets
        if re.search(rf'"[^"]*\b{dataset}\b', re.sub(r"#.*", "", source.read_text()))
    ]
    assert not named, "\n".join(named)


def test_jobs_on_spark_are_configured_as_is_tested():
    """The Spark of the tests has the configuration that Terraform gives the jobs, word for word."""
    text = (TERRAFORM / "modules" / "quality_workflow" / "jobs.tf").read_text()
    catalog = re.search(r'spark_catalog = "(.+)"', text)
    given = re.findall(
        r'^\s+"(\S+)=(\S+)",$', text.replace("${local.spark_catalog}", catalog[1]), re.MULTILINE
    )
    assert dict(given) == GLUE_CATALOG


@pytest.mark.parametrize("root", [*ENVIRONMENTS, TERRAFORM / "bootstrap"], ids=lambda folder: folder.name)
def test_everything_is_tagged(root: Path):
    """Project, environment, owner, cost centre, classification and manager are on all that has tags."""
    provider = (root / "providers.tf").read_text()
    tags = re.search(r"default_tags \{\s+tags = \{(.*?)\}", provider, re.DOTALL)[1]
    assert re.findall(r"^\s*(\w+) +=", tags, re.MULTILINE) == [
        "project",
        "environment",
        "owner",
        "cost_centre",
        "classification",
        "managed_by",
    ]


# What is made per dataset and knows no tags.
_UNTAGGED = {"aws_glue_catalog_table", "aws_lakeformation_permissions", "aws_scheduler_schedule"}


def test_what_is_made_for_a_dataset_says_so():
    """Each resource of one dataset has its tags: dataset, owner and classification, of the contract."""
    blocks = [
        (f"{source.relative_to(TERRAFORM)}: {found['type']}.{found['name']}", found["type"], found["body"])
        for source in SOURCES
        for found in re.finditer(
            r'^resource "(?P<type>\w+)" "(?P<name>\w+)" \{\n(?P<body>.*?)^\}',
            source.read_text(),
            re.MULTILINE | re.DOTALL,
        )
        if re.search(r"for_each += (var\.datasets|local\.jobs)\n", found["body"])
    ]
    untagged = [
        address
        for address, kind, body in blocks
        if kind not in _UNTAGGED and not re.search(r"^  tags += .*\.tags$", body, re.MULTILINE)
    ]
    assert {"aws_glue_job", "aws_glue_crawler", "aws_cloudwatch_metric_alarm"} <= {
        kind for _, kind, _ in blocks
    }
    assert not untagged


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_example_of_values_is_complete(environment: str):
    """Whoever fills in terraform.tfvars.example has given every variable without a default, and no other."""
    root = TERRAFORM / "environments" / environment
    example = hcl2.loads((root / "terraform.tfvars.example").read_text())
    required = {name for name, block in read_module(root).named("variable") if "default" not in block}
    assert {name for name in example if not name.startswith("__")} == required


def test_every_role_of_the_stack_can_be_bounded():
    """A role without the boundary is one that the deployment from GitHub may not make."""
    roles = [
        (f"{source.relative_to(TERRAFORM)}: {found['name']}", found["body"])
        for source in SOURCES
        if "github_deployment" not in source.parts
        for found in re.finditer(
            r'^resource "aws_iam_role" "(?P<name>\w+)" \{\n(?P<body>.*?)^\}',
            source.read_text(),
            re.MULTILINE | re.DOTALL,
        )
    ]
    assert roles
    assert not [name for name, body in roles if "= var.permissions_boundary_arn" not in body]
