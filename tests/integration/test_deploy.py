"""`make bootstrap|plan|apply|destroy`: what is looked at beforehand, and the way to a first plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from scripts import deploy
from scripts.offline_aws.server import OfflineAws
from scripts.terraform import BOOTSTRAP, root_of

ACCOUNT = "123456789012"
VALUES = {
    "account_id": ACCOUNT,
    "owner": "data-platform",
    "cost_centre": "4711",
    "alert_emails": '["data-oncall@example.com"]',
}

Run = Callable[..., Result]


@pytest.fixture
def run(offline_aws: OfflineAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command as somebody with all that it needs; each test takes one thing away."""
    if any((root_of(name) / "terraform.tfvars").exists() for name in ("dev", "prod", BOOTSTRAP)):
        pytest.skip("this checkout has values of its own for an AWS account")
    monkeypatch.setenv("AWS_ENDPOINT_URL", offline_aws.state.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "offline")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "offline")
    monkeypatch.setenv("AWS_REGION", offline_aws.state.region)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in VALUES.items():
        monkeypatch.setenv(f"TF_VAR_{name}", value)

    def run(command: str, *options: str, env: str = "dev") -> Result:
        return CliRunner().invoke(deploy.app, [command, "--env", env, "--work-dir", str(tmp_path), *options])

    return run


def the_line(result: Result) -> str:
    """What was said, if it was one line and the exit code of bad input."""
    assert result.exit_code == 2, result.output
    said = [line for line in result.output.splitlines() if not line.startswith("●")]
    assert len(said) == 1, result.output
    return said[0]


@pytest.mark.parametrize("command", ["plan", "apply", "destroy", "bootstrap"])
def test_values_that_are_missing_are_named(run: Run, command: str, monkeypatch: pytest.MonkeyPatch):
    """Every variable without a value is told at once, with the file that wants it, before AWS is asked."""
    monkeypatch.delenv("TF_VAR_alert_emails")
    monkeypatch.delenv("TF_VAR_owner")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    said = the_line(run(command))
    assert (
        "environments/dev/terraform.tfvars gives no alert_emails, owner: copy terraform.tfvars.example"
        in said
    )


def test_without_credentials_the_way_to_some_is_told(run: Run, monkeypatch: pytest.MonkeyPatch):
    """Nobody who has not signed in reads a traceback."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert "There are no AWS credentials. Sign in (`aws sso login`" in the_line(run("plan"))


def test_a_profile_that_is_not_there_is_named(run: Run, monkeypatch: pytest.MonkeyPatch):
    """A mistyped AWS_PROFILE is told as such."""
    monkeypatch.setenv("AWS_PROFILE", "data-dve")
    assert "data-dve" in the_line(run("plan"))


def test_without_a_region_the_places_for_one_are_told(run: Run, monkeypatch: pytest.MonkeyPatch):
    """No region is guessed: where data lies is a decision."""
    monkeypatch.delenv("AWS_REGION")
    assert "There is no region: set AWS_REGION, or region in terraform.tfvars." in the_line(run("plan"))


def test_credentials_of_another_account_are_refused(run: Run, monkeypatch: pytest.MonkeyPatch):
    """What is meant for one account is never applied to another; both are named."""
    monkeypatch.setenv("TF_VAR_account_id", "210987654321")
    said = the_line(run("apply"))
    assert "is about account 210987654321, but your credentials open account 123456789012" in said


def test_an_aws_that_does_not_answer_is_told(run: Run, monkeypatch: pytest.MonkeyPatch):
    """Without a network there is one line, and it comes soon."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "AWS cannot be asked who you are: Could not connect" in the_line(run("plan"))


def test_without_a_bucket_for_the_state_the_bootstrap_is_named(run: Run):
    """The first command in a new account is told by the second."""
    said = the_line(run("plan", env="prod"))
    assert f"no bucket lakegate-state-{ACCOUNT}-us-east-1 for Terraform's state" in said
    assert "`make bootstrap ENV=...`" in said


@pytest.mark.parametrize("command", ["plan", "destroy"])
def test_without_an_offline_machine_the_way_to_one_is_told(
    run: Run, command: str, monkeypatch: pytest.MonkeyPatch
):
    """ENV=local is about the machine that is up; there is none to plan for when it is not."""
    monkeypatch.setattr(deploy, "find_machine", lambda: None)
    assert "`make up` starts one" in the_line(run(command, env="local"))


@pytest.mark.slow
def test_the_state_moves_into_the_bucket_that_is_made_for_it(
    run: Run, client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    """The bootstrap asks first, keeps its state in the bucket it made, and goes on from there."""
    monkeypatch.setenv("TF_VAR_manage_lifecycle_rules", "false")
    bucket, s3 = f"lakegate-state-{ACCOUNT}-us-east-1", client("s3")

    assert "Nobody is here to be asked whether to change account" in run("bootstrap").output
    assert bucket not in [b["Name"] for b in s3.list_buckets()["Buckets"]]

    assert run("bootstrap", "--yes").exit_code == 0
    state = s3.head_object(Bucket=bucket, Key="lakegate/bootstrap.tfstate")
    key = client("kms").describe_key(KeyId="alias/lakegate-state")["KeyMetadata"]["Arn"]
    assert (state["ServerSideEncryption"], state["SSEKMSKeyId"]) == ("aws:kms", key)
    assert not (root_of(BOOTSTRAP) / "backend_override.tf").exists()

    monkeypatch.setenv("TF_VAR_github", '{"repository": "example/lakegate"}')
    again = run("bootstrap", "--yes")
    assert again.exit_code == 0
    assert "11 to add, 0 to change, 0 to remove" in again.output
    check_who_may_deploy(client("iam"))


def check_who_may_deploy(iam: Any) -> None:
    """Each role is for one repository and occasion, and no policy is longer than IAM takes."""
    roles = {role: iam.get_role(RoleName=f"lakegate-deploy-dev-{role}")["Role"] for role in ("plan", "apply")}
    said = {
        role: made["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]
        for role, made in roles.items()
    }
    claim = "token.actions.githubusercontent.com:sub"
    assert set(said["plan"][claim]) == {
        "repo:example/lakegate:pull_request",
        "repo:example/lakegate:ref:refs/heads/main",
    }
    assert said["apply"][claim] == "repo:example/lakegate:environment:dev"

    policies = iam.list_policies(Scope="Local")["Policies"]
    sizes = {
        policy["PolicyName"]: len(json.dumps(document(iam, policy), separators=(",", ":")))
        for policy in policies
        if policy["PolicyName"].startswith("lakegate-deploy-dev")
    }
    assert len(sizes) == 4
    assert max(sizes.values()) <= 6144, sizes


def document(iam: Any, policy: dict[str, Any]) -> Any:
    version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
    return version["PolicyVersion"]["Document"]
