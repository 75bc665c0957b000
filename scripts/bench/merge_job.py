"""How long a whole merge job takes for a table of 1,034 rows, from the start of its process to its exit.

The job script runs as Glue's runner starts it, against the offline AWS: it reads its arguments, what the gate
staged and the table, merges, commits to the catalog, and writes its report and metrics. The table holds one
day of 1,034 people; the batch is the next day, on which some salaries are others and some people are new.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from scripts.bench.measured import Figures, high_water_mb
from scripts.offline_aws.execution import DEPLOYED_ONLY, python_command
from scripts.offline_aws.glue_jobs import RUNTIME
from scripts.offline_aws.server import OfflineAws, log_to_file
from scripts.package import CHECKOUT
from scripts.sample_data import Day, Recipe, make_sample
from scripts.torture.worker import job_environment
from scripts.torture.world import World

CASE = "merge-1034"
_ROWS = 1_034
_ON = date(2026, 11, 24)


def measure_job(rounds: int) -> Figures:
    """The best of so many runs, each from the same state of the table."""
    with offline_aws() as (aws, folder):
        world = World(aws.state, "bench", _two_days())
        world.build()
        for step, run in (("gate", "first"), ("merge", "first"), ("gate", "nightly")):
            run_job(step, run, world, folder)
        before = world.save()
        runs = []
        for _ in range(rounds):
            world.restore(before)
            runs.append(run_job("merge", "nightly", world, folder))
            if world.table("processed").scan().count() <= _ROWS:
                raise SystemExit(f"{CASE}: the merge inserted nothing")
    seconds, peak_rss_mb = min(runs)
    return Figures(CASE, "lakegate", round(seconds, 3), peak_rss_mb)


@contextmanager
def offline_aws() -> Iterator[tuple[OfflineAws, Path]]:
    """One of its own, which is this process's AWS meanwhile, and a folder for what jobs leave."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log_to_file(folder)
        aws = OfflineAws(folder)
        aws.start()
        os.environ.update(job_environment(aws.state.endpoint, aws.state.region, folder))
        try:
            yield aws, folder
        finally:
            aws.stop()


def _two_days() -> dict[str, tuple[date, bytes]]:
    first = make_sample(Recipe(rows=_ROWS, date=_ON - timedelta(days=1))).content
    following = make_sample(Recipe(rows=_ROWS, date=_ON, day=Day.NEXT)).content
    return {
        "first": (_ON - timedelta(days=1), first),
        "nightly": (_ON, following),
        "backfill": (_ON - timedelta(days=2), first),
    }


def run_job(
    step: str, run: str, world: World, folder: Path, more: Mapping[str, str] | None = None
) -> tuple[float, int]:
    """Seconds and peak memory in MB of the process, which finds `more` in its environment."""
    script = CHECKOUT / "etl" / "glue_jobs" / f"{step}.py"
    command = python_command(RUNTIME / "runner.py", str(folder / "error"), str(script), *world.arguments(run))
    paths = os.pathsep.join(map(str, (DEPLOYED_ONLY, RUNTIME, CHECKOUT)))
    log = folder / "job.log"
    with log.open("w") as out:
        started = time.monotonic()
        pid = os.posix_spawn(
            sys.executable,
            command,
            {**os.environ, "PYTHONPATH": paths, **(more or {})},
            file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, out.fileno(), 2)],
        )
        status, peak = _await_end(pid)
        seconds = time.monotonic() - started
    if status:
        raise SystemExit(f"{step} of the run {run} failed:\n{log.read_text()}")
    return seconds, peak


def _await_end(pid: int) -> tuple[int, int]:
    """Exit status and peak memory in MB.

    The peak is looked at while it runs: what Linux tells of a process that has ended counts what its parent
    had when it was started, and that may have been more.
    """
    peak = None
    while True:
        ended, status, used = os.wait4(pid, os.WNOHANG)
        if ended:
            return status, used.ru_maxrss // 2**20 if peak is None else peak  # macOS counts bytes
        found = high_water_mb(pid)
        peak = found if peak is None else max(peak, found or 0)
        time.sleep(0.01)
