"""One offline AWS for all tests that need one: moto's state belongs to the process."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from hypothesis import HealthCheck, settings

from scripts.offline_aws.server import OfflineAws, log_to_file
from scripts.torture.interference import Interference

_numbers = itertools.count(1)
_TESTS = Path(__file__).parent

# The files that take longest, in the order in which they begin: else one of them is alone at the end. Those
# that apply the stack wait for a minute; what computes all the while stands between them.
_FIRST = (
    "e2e/test_canary.py",
    "property/test_arrow_engine.py",
    "integration/test_both_engines.py",
    "e2e/test_demo.py",
    "torture/test_torture.py",
    "integration/test_iceberg.py",
    "integration/test_maintenance.py",
    "property/test_merge_laws.py",
    "torture/test_maintenance_points.py",
    "e2e/test_interruption.py",
    "integration/test_pipeline.py",
    "integration/test_fail_closed.py",
    "browser/test_pages.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {_TESTS / name: place for place, name in enumerate(_FIRST)}
    assert all(file.exists() for file in places), "a file of _FIRST has another name by now"
    items.sort(key=lambda item: places.get(item.path, len(places)))


# How long one example takes says more about what else this machine does than about the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def interference() -> Interference:
    """What stands before the offline AWS; it lets all calls through for which there is no plan."""
    return Interference()


@pytest.fixture(scope="session")
def offline_aws(tmp_path_factory: pytest.TempPathFactory, interference: Interference) -> Iterator[OfflineAws]:
    state_dir = tmp_path_factory.mktemp("offline-aws")
    log_to_file(state_dir)
    server = OfflineAws(state_dir)
    server.start(interference.around)
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
