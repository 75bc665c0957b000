"""Small things that the tests of this folder need on the offline AWS."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def bucket(client: Callable[..., Any], name: str) -> str:
    client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def database(client: Callable[..., Any], name: str) -> str:
    """A database that is open to IAMAllowedPrincipals, as Glue makes it in a fresh account."""
    made = name.replace("-", "_")
    client("glue").create_database(DatabaseInput={"Name": made})
    return made


@pytest.fixture
def role(client: Callable[..., Any], name: str) -> Callable[..., str]:
    """`role("glue")` is the ARN of a new role that glue.amazonaws.com may assume."""

    def create(service: str, suffix: str = "role") -> str:
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": f"{service}.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        created = client("iam").create_role(
            RoleName=f"{name}-{suffix}", AssumeRolePolicyDocument=json.dumps(trust)
        )
        return created["Role"]["Arn"]

    return create
