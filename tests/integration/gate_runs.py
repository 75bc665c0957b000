"""Whole runs over one lake: files to land, and what becomes of them."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import pytest
from builders import TODAY
from lakes import ALake

from etl.batch import Batch, MergeMode
from etl.errors import ManifestInvalid
from etl.pipeline import run_gate, run_merge
from etl.run_report import MergeReport
from scripts.sample_data import Recipe, Sample, make_sample


@cache
def a_sample(on: date = TODAY, **recipe: Any) -> Sample:
    return make_sample(Recipe(rows=600, date=on, **recipe))


def published(lake: ALake, batch: Batch, run_id: str, mode: MergeMode = MergeMode.UPSERT) -> MergeReport:
    """The batch's way through gate and merge."""
    of_run = lake.of_run(run_id)
    run_gate(batch, run_id, of_run)
    return run_merge(batch, mode, run_id, of_run)


def counts(report: MergeReport) -> dict[str, int]:
    names = ("read", "inserted", "updated", "unchanged", "skipped", "duplicates", "quarantined", "unparsable")
    return {name: value for name in names if (value := getattr(report.counts, name))}


def refused(lake: ALake, batch: Batch, run_id: str, error: type[Exception]) -> Any:
    """The error that the gate ends on; there is nothing then that a merge could take."""
    of_run = lake.of_run(run_id)
    with pytest.raises(error) as caught:
        run_gate(batch, run_id, of_run)
    assert not lake.has_report(run_id, "manifest")
    assert lake.keys("processed", f"staging/employee/{run_id}/") == []
    with pytest.raises(ManifestInvalid, match="the gate of this run passed nothing on"):
        run_merge(batch, MergeMode.UPSERT, run_id, of_run)
    return caught.value
