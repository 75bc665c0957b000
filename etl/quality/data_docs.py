"""Data Docs, one page a run and an index: text in, text out.

A run's page shows what GX's own renderers make of its results, under a summary of ours. The index is made
from small summaries of the runs, never from their results, so that a year of runs does not slow it down.
Pages need no script and nothing from the network: the folder can be opened from a disk.

Layout under the docs prefix: `index.html`, `static/…`, `<dataset>/<batch_date>/<run_id>.html`.
"""

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from etl.quality.result_sections import render_sections
from etl.quality.validate import Validation

MOST_LISTED = 366  # runs of a dataset on the index
_MOST_BARS = 90


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a run's page says beside the results. `verdict` is a value of etl.run_report.Verdict."""

    dataset: str
    batch_date: str
    run_id: str
    batch_id: str
    verdict: str
    object_key: str
    object_version: str
    finished_at: str
    counts: Mapping[str, int] = field(default_factory=dict)
    expectations_met: int = 0
    expectations_total: int = 0
    failed: Sequence[str] = ()
    reason: str | None = None

    @property
    def page(self) -> str:
        return f"{self.dataset}/{self.batch_date}/{self.run_id}.html"


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What the index needs of a run; plain values, so that it can be kept as JSON."""

    dataset: str
    batch_date: str
    run_id: str
    verdict: str
    page: str
    finished_at: str
    counts: Mapping[str, int] = field(default_factory=dict)
    expectations_met: int = 0
    expectations_total: int = 0
    failed: Sequence[str] = ()
    reason: str | None = None

    @classmethod
    def of(cls, run: RunInfo, page: str) -> "RunSummary":
        """`page` is where the run's page is, under the docs prefix."""
        return cls(
            dataset=run.dataset,
            batch_date=run.batch_date,
            run_id=run.run_id,
            verdict=run.verdict,
            page=page,
            finished_at=run.finished_at,
            counts=dict(run.counts),
            expectations_met=run.expectations_met,
            expectations_total=run.expectations_total,
            failed=tuple(run.failed),
            reason=run.reason,
        )

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "RunSummary":
        """Fields that this version does not know are passed over: a later one may have written them."""
        known = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in entry.items() if name in known})


@dataclass(frozen=True, slots=True)
class _Verdict:
    title: str
    colour: str  # Bootstrap's name of it
    meaning: str


_VERDICTS = {
    "passed": _Verdict("Passed", "success", "All rows may enter the table."),
    "passed_with_quarantine": _Verdict(
        "Passed with quarantine",
        "warning",
        "Rows that failed, or could not be read, are in quarantine; the others may enter the table.",
    ),
    "rejected": _Verdict("Rejected", "danger", "Nothing of the batch was written; the table is as it was."),
    "error": _Verdict(
        "Error", "dark", "The check itself broke, so nothing is known about the rows; nothing was written."
    ),
}


def render_run_page(validation: Validation | None, run: RunInfo) -> str:
    """The page of a run; `validation` is None when the gate did not get as far as validating."""
    return (
        _environment()
        .get_template("run.html.j2")
        .render(
            root="../../",
            run=run,
            verdict=_verdict(run.verdict),
            fingerprint=validation.results["meta"]["suite_fingerprint"] if validation else None,
            sections=render_sections(validation) if validation else [],
        )
    )


def render_index(runs: Sequence[RunSummary]) -> str:
    """The index of all datasets; `runs` in any order, of which the newest of each dataset are listed."""
    datasets = [_dataset(name, runs) for name in sorted({run.dataset for run in runs})]
    return _environment().get_template("index.html.j2").render(root="", datasets=datasets)


def static_assets() -> dict[str, bytes]:
    """What the pages link to, by its place under the docs prefix. The pictures are GX's own."""
    ours = files("etl.quality") / "pages" / "static"
    images = _gx_folder() / "render" / "view" / "static" / "images"
    return {
        "static/bootstrap.min.css": (ours / "bootstrap.min.css").read_bytes(),
        "static/data_docs.css": (ours / "data_docs.css").read_bytes(),
        "static/favicon.ico": (images / "favicon.ico").read_bytes(),
        "static/logo-long.png": (images / "logo-long.png").read_bytes(),
    }


def _dataset(name: str, runs: Sequence[RunSummary]) -> dict[str, Any]:
    newest_first = sorted(
        (run for run in runs if run.dataset == name),
        key=lambda run: (run.batch_date, run.finished_at),
        reverse=True,
    )
    entries = [_entry(run) for run in newest_first[:MOST_LISTED]]
    return {
        "name": name,
        "latest": entries[0],
        "entries": entries,
        "history": entries[:_MOST_BARS][::-1],
        "unlisted": len(newest_first) - len(entries),
    }


def _entry(run: RunSummary) -> dict[str, Any]:
    share = 100 * run.expectations_met / run.expectations_total if run.expectations_total else 0
    return {
        "run": run,
        "verdict": _verdict(run.verdict),
        "share": round(share),
        "height": max(round(share), 6),
    }


def _verdict(verdict: str) -> _Verdict:
    return _VERDICTS.get(verdict, _VERDICTS["error"])


@cache
def _environment() -> Environment:
    loader = PackageLoader("etl.quality", "pages")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["utc"] = _utc
    return environment


def _utc(moment: str) -> str:
    """An ISO moment as people read it, in UTC; anything else as it stands."""
    try:
        return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return moment


def _gx_folder() -> Path:
    """Where GX is installed, without importing it."""
    spec = importlib.util.find_spec("great_expectations")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("great_expectations")
    return Path(spec.submodule_search_locations[0])
