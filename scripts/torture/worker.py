"""A process with an offline AWS of its own, that tries one point after the other."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from dataclasses import dataclass
from multiprocessing import Queue
from pathlib import Path

from scripts.offline_aws.server import OfflineAws, log_to_file
from scripts.torture.interference import Interference
from scripts.torture.points import Point, Step
from scripts.torture.processes import ForkServer
from scripts.torture.trial import Trials
from scripts.torture.world import World


@dataclass(frozen=True, slots=True)
class Ready:
    """How many calls the uninterrupted runs made, and what they were."""

    calls: dict[Step, list[str]]


@dataclass(frozen=True, slots=True)
class Tried:
    point: Point
    findings: list[str]
    seconds: float


def work(points: Queue[Point | None], results: Queue[Ready | Tried | str]) -> None:
    """Try the points until None comes; first say Ready, or what went wrong before."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who asks for the points
    with tempfile.TemporaryDirectory(prefix="torture-aws-") as folder, ForkServer() as server:
        try:
            trials = _trials(Path(folder), server)
        except Exception as error:
            results.put(f"{type(error).__name__}: {error}")
            raise
        results.put(Ready({step: [str(call) for call in calls] for step, calls in trials.calls.items()}))
        while (point := points.get()) is not None:
            began = time.monotonic()
            findings = trials.run(point)
            results.put(Tried(point, findings, time.monotonic() - began))


def _trials(folder: Path, server: ForkServer) -> Trials:
    log_to_file(folder)
    aws = OfflineAws(folder)
    interference = Interference()
    aws.start(interference.around)
    environment = job_environment(aws.state.endpoint, aws.state.region, folder)
    os.environ.update(environment)
    return Trials(World(aws.state), interference, server, environment)


def job_environment(endpoint: str, region: str, folder: Path) -> dict[str, str]:
    """Of a job process, and of whoever looks at what it did."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": "reader",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
    }
