"""One offline AWS for all tests of this folder: moto's state belongs to the process."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from scripts.offline_aws.server import OfflineAws, log_to_file

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def offline_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfflineAws]:
    state_dir = tmp_path_factory.mktemp("offline-aws")
    log_to_file(state_dir)
    server = OfflineAws(state_dir)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def client(offline_aws: OfflineAws) -> Callable[..., Any]:
    """`client("glue")`, or with the keys of a role, a boto3 client of the offline AWS."""
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    cache: dict[str, Any] = {}

    def connect(service: str, **credentials: str) -> Any:
        keys = credentials or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        if credentials or service not in cache:
            made = boto3.client(
                service,
                endpoint_url=offline_aws.state.endpoint,
                region_name=offline_aws.state.region,
                config=config,
                **keys,
            )
            if credentials:
                return made
            cache[service] = made
        return cache[service]

    return connect


@pytest.fixture
def name() -> str:
    """A name that no other test uses, fit for buckets, databases, jobs and queues."""
    return f"lakegate-t{next(_numbers)}"


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
