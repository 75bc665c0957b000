"""Faults that come from outside: a service that is refused, and jobs whose processes are killed."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployments import Deployer

from scripts.gameday.faulty_aws import DOOR, Faults
from scripts.offline_aws.server import OfflineAws

pytestmark = pytest.mark.slow

Put = Callable[..., dict[str, Any]]


@pytest.fixture
def put(offline_aws: OfflineAws) -> Iterator[Put]:
    """Puts faults before the offline AWS, or with none asks what they did; afterwards there is no layer."""
    app = offline_aws._server.app
    offline_aws._server.app = Faults().around(app)

    def ask(**plan: Any) -> dict[str, Any]:
        body = json.dumps(plan).encode() if plan else None
        url = f"{offline_aws.state.endpoint}{DOOR}"
        request = urllib.request.Request(url, body, method="PUT" if plan else "GET")
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    yield ask
    offline_aws._server.app = app


def test_a_job_is_killed_in_as_many_runs_as_asked_for_and_its_call_is_not_made(
    client, bucket, role, name, put
):
    """The process dies at the call that was named, with the state a kill has, and not before; others live."""
    deploy = Deployer(client, bucket, role, name)
    script = f"""
        import boto3
        s3 = boto3.client("s3")
        s3.put_object(Bucket="{bucket}", Key="before", Body=b"")
        s3.put_object(Bucket="{bucket}", Key="commit", Body=b"")
    """
    victim, other = deploy.job("victim", script), deploy.job("other", "print()", Role=role("glue", "other"))
    put(crashes=[{"job": victim, "call": "s3 PUT .*/commit", "times": 2}])
    killed = [deploy.run_job(victim) for _ in range(2)]
    assert [run["ErrorMessage"] for run in killed] == ["Command failed with exit code 137"] * 2
    assert deploy.run_job(other)["JobRunState"] == "SUCCEEDED"
    assert "commit" not in keys(client, bucket)
    assert "before" in keys(client, bucket)
    assert [crash["run"] for crash in put()["crashed"]] == [run["Id"] for run in killed]
    assert deploy.run_job(victim)["JobRunState"] == "SUCCEEDED"
    assert "commit" in keys(client, bucket)


def test_a_refused_service_answers_503_until_the_fault_is_taken_away(client, name, put):
    """What is said to SNS then is an error as AWS makes it, and what is said to others is not."""
    put(refused=["sns"])
    with pytest.raises(ClientError, match="ServiceUnavailable"):
        client("sns").create_topic(Name=name)
    client("sqs").create_queue(QueueName=name)
    assert put()["refused"] == 1
    put(refused=[])
    assert client("sns").create_topic(Name=name)["TopicArn"].endswith(name)


def keys(client: Callable[..., Any], bucket: str) -> set[str]:
    found = client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    return {entry["Key"] for entry in found}
