"""Settings: read once, from the arguments that Terraform gives the jobs."""

import re
from pathlib import Path

import pytest

from etl.errors import ArgumentsInvalid
from etl.settings import (
    JOB_ARGUMENTS,
    MAINTENANCE_ARGUMENTS,
    from_environment,
    from_job_arguments,
    from_maintenance_arguments,
)

ARGUMENTS = {name: f"the {name}" for name in JOB_ARGUMENTS}


def test_arguments_become_settings(monkeypatch: pytest.MonkeyPatch):
    """Each argument has its setting; a workflow's two come under Glue's own names."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    settings = from_job_arguments(ARGUMENTS)

    assert settings.processed_bucket == "the processed_bucket"
    assert (settings.workflow_name, settings.run_id) == ("the WORKFLOW_NAME", "the WORKFLOW_RUN_ID")
    assert settings.endpoint_url is None


def test_the_endpoint_is_that_of_the_aws_sdks(monkeypatch: pytest.MonkeyPatch):
    """AWS_ENDPOINT_URL reaches Arrow's S3 client too."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:5000")

    assert from_job_arguments(ARGUMENTS).endpoint_url == "http://127.0.0.1:5000"


@pytest.mark.parametrize("name", JOB_ARGUMENTS)
def test_an_argument_that_is_missing_or_empty(name: str):
    """A job without one of its arguments does nothing, and the error names it."""
    field = {"WORKFLOW_NAME": "workflow_name", "WORKFLOW_RUN_ID": "run_id"}.get(name, name)

    for arguments in (ARGUMENTS | {name: ""}, {k: v for k, v in ARGUMENTS.items() if k != name}):
        with pytest.raises(ArgumentsInvalid, match=f"without a value: {field}$"):
            from_job_arguments(arguments)


def test_the_maintenance_belongs_to_no_workflow():
    """Its run id is the job run's own, which Glue gives without being asked."""
    given = {name: f"the {name}" for name in MAINTENANCE_ARGUMENTS}
    settings = from_maintenance_arguments(given | {"JOB_RUN_ID": "jr_1", "JOB_ID": None})

    assert (settings.workflow_name, settings.run_id, settings.dataset) == ("", "jr_1", "the dataset")
    with pytest.raises(ArgumentsInvalid, match=r"without a value: run_id$"):
        from_maintenance_arguments(given | {"JOB_RUN_ID": None})


def test_terraform_passes_every_argument():
    """The jobs' default arguments in Terraform have every argument that no workflow adds."""
    text = (Path(__file__).parents[2] / "terraform/modules/quality_workflow/jobs.tf").read_text()
    passed = set(re.findall(r'"--([a-z_]+)"', text))

    assert {name for name in JOB_ARGUMENTS if name.islower()} <= passed


def test_lambdas_are_told_through_their_environment(monkeypatch: pytest.MonkeyPatch):
    """The Lambdas' variables become settings; a missing one is named."""
    for name in (
        "NAME_PREFIX", "RAW_BUCKET", "DOCS_BUCKET", "ALERT_TOPIC_ARN", "RUNBOOKS_URL", "DATASETS"
    ):  # fmt: skip
        monkeypatch.setenv(name, f"lakegate-{name}")

    assert from_environment().workflow_name("employee") == "lakegate-NAME_PREFIX-employee"
    monkeypatch.delenv("RAW_BUCKET")
    with pytest.raises(KeyError, match="RAW_BUCKET"):
        from_environment()
