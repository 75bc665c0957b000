"""A lake of its own for each test, on the offline AWS, made as Terraform makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from builders import EXPECTATIONS, the_employee_contract, the_lineage_columns, the_quarantine_columns
from lakes import ALake
from spark_session import running_spark

from etl.aws import clients
from scripts.offline_aws.server import OfflineAws


@pytest.fixture(scope="module", autouse=True)
def _aws_environment(offline_aws: OfflineAws) -> Iterator[None]:
    """The process's AWS is the offline one, as it is for a job."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", offline_aws.state.endpoint)
        patch.setenv("AWS_DEFAULT_REGION", offline_aws.state.region)
        patch.setenv("AWS_REGION", offline_aws.state.region)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        clients.client.cache_clear()
        yield
        clients.client.cache_clear()


@pytest.fixture
def lake(client: Callable[..., Any], name: str, offline_aws: OfflineAws) -> ALake:
    return _a_lake(client, name, offline_aws)


@pytest.fixture
def other_lake(client: Callable[..., Any], name: str, offline_aws: OfflineAws) -> ALake:
    """A second one, for what comes of the same files in another way."""
    return _a_lake(client, f"{name}-other", offline_aws)


def _a_lake(client: Callable[..., Any], name: str, offline_aws: OfflineAws) -> ALake:
    """Buckets, databases, empty Iceberg tables, expectations and an alert topic with one subscriber."""
    made = ALake(client, name, offline_aws.state)
    for zone in ("raw", "processed", "quarantine", "docs", "artifacts"):
        client("s3").create_bucket(Bucket=made.bucket(zone))
    client("s3").put_bucket_versioning(
        Bucket=made.bucket("raw"), VersioningConfiguration={"Status": "Enabled"}
    )
    for path in sorted(EXPECTATIONS.rglob("*")):
        if path.is_file():
            made.put_expectation(path.relative_to(EXPECTATIONS).as_posix(), path.read_text())
    made.create_table("processed", (*the_employee_contract().columns, *the_lineage_columns()))
    made.create_table("quarantine", the_quarantine_columns())
    topic = client("sns").create_topic(Name=name)["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint=f"{name}@example.com")
    return made


@pytest.fixture(scope="module")
def spark(
    _aws_environment: None, offline_aws: OfflineAws, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A Spark session; without Spark or Java the test is skipped."""
    with running_spark(offline_aws.state.endpoint, tmp_path_factory.mktemp("spark")) as session:
        yield session
