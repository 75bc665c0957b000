"""A request of Terraform's that comes again since its answer was lost."""

from __future__ import annotations

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.11.4 terraform-provider-aws/5.100.0 aws-sdk-go-v2/1.36.3"


def create_key_alias(offline_aws, key_id: str, alias: str, agent: str, invocation: str) -> int:
    scope = "Credential=test/20261124/us-east-1/kms/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
        "Content-Type": "application/x-amz-json-1.1",
        "User-Agent": agent,
        "X-Amz-Target": "TrentService.CreateAlias",
        "Amz-Sdk-Invocation-Id": invocation,
    }
    body = json.dumps({"AliasName": f"alias/{alias}", "TargetKeyId": key_id}).encode()
    try:
        return urlopen(Request(offline_aws.state.endpoint, body, headers)).status
    except HTTPError as refused:
        return refused.code


@pytest.fixture
def key_id(client) -> str:
    return client("kms").create_key()["KeyMetadata"]["KeyId"]


def test_terraform_gets_the_same_answer_again(offline_aws, key_id, name):
    """All tries of one request have one effect and one answer; another request meets what is there."""
    tries = [create_key_alias(offline_aws, key_id, name, TERRAFORM, f"one-{name}") for _ in range(2)]
    assert tries == [200, 200]
    assert create_key_alias(offline_aws, key_id, name, TERRAFORM, f"two-{name}") == 400


def test_nobody_else_does(offline_aws, key_id, name):
    """Jobs and Lambdas meet what their own first try did, as on AWS."""
    tries = [create_key_alias(offline_aws, key_id, name, "Boto3/1.44", f"one-{name}") for _ in range(2)]
    assert tries == [200, 400]
