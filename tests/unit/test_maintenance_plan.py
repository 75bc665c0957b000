"""Which files are joined, which snapshots and files let go: decided from facts, so tested without a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from builders import EXPECTATIONS
from hypothesis import given
from hypothesis import strategies as st

from etl.custom_properties import LONGEST_JOB_HOURS, Maintenance
from etl.tables.maintenance import (
    DataFile,
    SnapshotFacts,
    StoredFile,
    Upkeep,
    choose_expired,
    choose_orphans,
    plan_compaction,
    take_up_to,
)

TERRAFORM = Path(__file__).parents[2] / "terraform"
NOW = datetime(2026, 11, 24, 5, tzinfo=UTC)
DAY = timedelta(days=1)
UPKEEP = Upkeep(
    target_bytes=100,
    min_files=3,
    keep_snapshots=7 * DAY,
    keep_snapshots_at_least=2,
    orphan_age=3 * DAY,
)


def some_files(*sizes: int) -> list[DataFile]:
    """Of these sizes, the earliest first."""
    return [DataFile(f"{number}", size, size, number) for number, size in enumerate(sizes)]


def sizes_of(groups: Sequence[Sequence[DataFile]]) -> list[list[int]]:
    return [[file.size_bytes for file in group] for group in groups]


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [
        ((), []),
        ((10, 10), []),
        ((10, 10, 10), [[10, 10, 10]]),
        ((10, 80, 10, 100, 10, 300), [[10, 10, 10]]),
        ((40, 40), [[40, 40]]),
        ((74, 30, 30, 30, 30), [[30, 30, 30]]),
    ],
    ids=["none", "too few", "enough", "large ones stay", "two make a whole one", "no more than fit"],
)
def test_small_files_are_joined_to_the_target(sizes: tuple[int, ...], groups: list[list[int]]):
    """Files below three quarters of the target are joined, if they are enough or make a whole file."""
    assert sizes_of(plan_compaction(some_files(*sizes), UPKEEP)) == groups


def test_files_that_came_together_stay_together():
    """Whatever order they are listed in, files are joined with those committed next to them."""
    files = some_files(30, 31, 32, 33, 33, 34)

    assert sizes_of(plan_compaction(reversed(files), UPKEEP)) == [[30, 31, 32], [33, 33, 34]]


@given(st.lists(st.integers(1, 150), max_size=40))
def test_joining_comes_to_an_end(sizes: list[int]):
    """Each file is in one group at most, no group is above the target, and soon nothing is left to join."""
    files, rounds = some_files(*sizes), 0
    while groups := plan_compaction(files, UPKEEP):
        joined = [file for group in groups for file in group]
        assert len({file.path for file in joined}) == len(joined)
        assert all(sum(file.size_bytes for file in group) <= UPKEEP.target_bytes for group in groups)
        rest = [file for file in files if file not in joined]
        files = rest + [
            DataFile(f"{rounds}-{number}", sum(f.size_bytes for f in group), 0, 1000 * (rounds + 1) + number)
            for number, group in enumerate(groups)
        ]
        rounds += 1
        assert rounds <= len(sizes)
    assert sum(file.size_bytes for file in files) == sum(sizes)


def test_a_commit_is_bounded():
    """A commit takes the groups that fit, in order; a single one that does not is taken all the same."""
    groups = [tuple(some_files(60, 30)), tuple(some_files(90)), tuple(some_files(10))]

    assert sizes_of(take_up_to(groups, 180)) == [[60, 30], [90]]
    assert sizes_of(take_up_to(groups, 1)) == [[60, 30]]


def a_history(*days_ago: float) -> list[SnapshotFacts]:
    """Snapshots 0, 1, …, each the child of the one before."""
    return [
        SnapshotFacts(number, number - 1 if number else None, NOW - days * DAY)
        for number, days in enumerate(days_ago)
    ]


@pytest.mark.parametrize(
    ("days_ago", "expired"),
    [
        ((), []),
        ((400,), []),
        ((40, 30, 20, 9, 8), [0, 1, 2]),
        ((40, 30, 20, 9, 1), [0, 1, 2]),
        ((40, 30, 20, 6, 1), [0, 1]),
        ((40, 6, 5, 4), []),
    ],
    ids=["none", "only one", "at least two stay", "replaced lately", "replaced within days", "all lately"],
)
def test_snapshots_expire_when_they_were_replaced_long_ago(days_ago: tuple[float, ...], expired: list[int]):
    """What counts is since when a snapshot is not the table any more; the last few stay in any case."""
    history = a_history(*days_ago)
    current = len(history) - 1 if history else None

    assert choose_expired(history, current, set(), NOW, UPKEEP) == expired


def test_what_has_a_name_never_expires():
    """A tag or a branch keeps its snapshot; one that never was the table goes by its own age."""
    history = [
        *a_history(40, 30, 20, 1),
        SnapshotFacts(9, 1, NOW - 25 * DAY),
        SnapshotFacts(10, 1, NOW - DAY),
    ]

    assert choose_expired(history, 3, {0, 3}, NOW, UPKEEP) == [1, 9]


@given(st.lists(st.floats(0, 60), max_size=12), st.integers(1, 4))
def test_every_moment_of_the_last_days_can_be_read(days: list[float], at_least: int):
    """For each moment within the time to keep, the snapshot that was the table then is kept."""
    history = a_history(*sorted(days, reverse=True))
    upkeep = Upkeep(100, 3, 7 * DAY, at_least, 3 * DAY)
    expired = set(choose_expired(history, len(history) - 1, set(), NOW, upkeep))
    kept = [snapshot for snapshot in history if snapshot.snapshot_id not in expired]

    for moment in (NOW - days * DAY for days in (7, 3.5, 0)):
        then = [snapshot for snapshot in history if snapshot.made_at <= moment]
        assert not then or then[-1] in kept
    assert len(kept) >= min(len(history), at_least)


def test_orphans_are_old_and_named_by_nothing():
    """Engines write one object as s3:// or s3a://; a file is an orphan only when nothing names its place."""
    names = ("live", "old", "young")
    stored = [StoredFile(f"s3://b/t/{name}", 1, NOW - (1 if name == "young" else 4) * DAY) for name in names]

    assert choose_orphans(stored, {"b/t/live"}, NOW, UPKEEP) == [stored[1]]


def test_terraform_and_python_agree():
    """No job may run for longer than orphans are young, and a contract that is silent means one schedule."""
    variables = (TERRAFORM / "modules/quality_workflow/variables.tf").read_text()
    stack = (TERRAFORM / "stack/contracts.tf").read_text()

    assert re.findall(r"timeout_minutes <= (\d+)", variables) == [str(60 * LONGEST_JOB_HOURS)]
    assert re.findall(r'maintenance_schedule = "(.+)"', stack) == [Maintenance().schedule]


def test_the_example_shows_every_default():
    """The employee contract documents each setting with the value that it has when it is left out."""
    contract = yaml.safe_load((EXPECTATIONS / "employee/contract.yaml").read_text())
    shown = next(p["value"] for p in contract["customProperties"] if p["property"] == "maintenance")

    assert shown == Maintenance().model_dump(by_alias=True)
