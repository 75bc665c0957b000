"""Data Docs: a run's page, and the index, month and archive pages that lead to it. Values in, text out.

A run's page shows what GX's own renderers make of its results, under a summary of ours. All other pages are
made from small summaries of the runs, never from their results. Pages need no script and nothing from the
network: the folder can be opened from a disk.
"""

import hashlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl.outcome import Severity
from etl.quality.result_sections import COLOURS, Section, render_sections
from etl.quality.validate import Validation
from etl.run_report import GateReport, Verdict

if TYPE_CHECKING:  # GX imports it anyway when a page is rendered; the merge job renders none
    from jinja2 import Environment

MOST_ON_INDEX = 90  # runs of a dataset: as many bars as a telephone's width has room for
_MOST_ROWS = 30  # of these in the index's table
_MOST_NAMED = 5  # failed expectations in a row of a table; the run's page has all
_LONGEST_WHY = 300


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What the lists of runs hold of a gate report: its fields, shortened; plain values, kept as JSON."""

    dataset: str
    batch_date: str
    run_id: str
    verdict: str
    docs_key: str
    finished_at: str
    rows_read: int = 0
    rows_quarantined: int = 0
    rows_unparsable: int = 0
    expectations_met: int = 0
    expectations_total: int = 0
    failed: Sequence[str] = ()
    why: str | None = None

    @classmethod
    def of(cls, report: GateReport) -> "RunSummary":
        told = {field.name: getattr(report, field.name) for field in fields(cls)}
        told["failed"] = report.failed[:_MOST_NAMED]
        if report.why and len(report.why) > _LONGEST_WHY:
            told["why"] = report.why[:_LONGEST_WHY] + " …"
        return cls(**told)

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "RunSummary":
        """Fields that this version does not know are passed over: a later one may have written them."""
        known = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in entry.items() if name in known})


@dataclass(frozen=True, slots=True)
class _Look:
    """How a verdict is shown: in words and with a sign, so that nobody has to tell colours apart."""

    title: str
    css: str
    sign: str
    meaning: str


_LOOKS = {
    Verdict.PASSED: _Look("Passed", "success", "✔", "All rows may enter the table."),
    Verdict.PASSED_WITH_QUARANTINE: _Look(
        "Passed with quarantine",
        "warning",
        "◐",
        "Rows that failed, or could not be read, are in quarantine; the others may enter the table.",
    ),
    Verdict.REJECTED: _Look(
        "Rejected", "danger", "✘", "Nothing of the batch was written; the table is as it was."
    ),
    Verdict.ERROR: _Look(
        "Error",
        "dark",
        "?",
        "The check itself broke, so nothing is known about the rows; nothing was written.",
    ),
}


def page_of(dataset: str, batch_date: str, run_id: str) -> str:
    """Where a run's page is, under the prefix of the Data Docs."""
    return f"{dataset}/{batch_date}/{run_id}.html"


def render_run_page(
    validation: Validation | None, report: GateReport, facts: Mapping[str, str] | None = None
) -> str:
    """The page of a run; `validation` is None when the gate did not get as far as validating.

    `facts` are further rows of the table of facts.
    """
    sections = render_sections(validation) if validation else []
    return _render(
        "run.html.j2",
        root="../../",
        run=report,
        month=report.batch_date[:7],
        look=_look(report.verdict),
        next_step=report.verdict.next_step,
        facts=facts or {},
        sections=sections,
        failures=_failures(validation, sections) if validation else [],
    )


def render_index(runs: Sequence[RunSummary]) -> str:
    """The index of all datasets, from their newest runs in any order."""
    newest_first = sorted(_newest_first(runs), key=lambda run: run.dataset)
    by_dataset = {
        name: [_entry(run) for run in mine]
        for name, mine in groupby(newest_first, key=lambda run: run.dataset)
    }
    return _render("index.html.j2", root="", datasets=by_dataset, looks=_LOOKS, most_rows=_MOST_ROWS)


def render_month(dataset: str, month: str, runs: Sequence[RunSummary]) -> str:
    """All runs of a dataset over the batches of one month, such as `2026-11`; `runs` in any order."""
    entries = [_entry(run) for run in _newest_first(runs)]
    return _render("month.html.j2", root="../", dataset=dataset, month=month, entries=entries)


def render_months(dataset: str, months: Sequence[str]) -> str:
    """The months of a dataset that have runs."""
    newest_first = sorted(months, reverse=True)
    years = {year: list(inside) for year, inside in groupby(newest_first, key=lambda month: month[:4])}
    return _render("months.html.j2", root="../", dataset=dataset, years=years)


@cache
def static_assets() -> dict[str, bytes]:
    """What the pages link to, by its place under the docs prefix. The pictures are GX's own.

    The folder is named after what is in it: pages that were published with other assets keep theirs.
    """
    ours = files("etl.quality") / "pages" / "static"
    images = _gx_folder() / "render" / "view" / "static" / "images"
    assets = {
        "bootstrap.min.css": (ours / "bootstrap.min.css").read_bytes(),
        "data_docs.css": (ours / "data_docs.css").read_bytes(),
        "favicon.ico": (images / "favicon.ico").read_bytes(),
        "logo-long.png": (images / "logo-long.png").read_bytes(),
    }
    folder = f"static/{hashlib.sha256(b''.join(assets.values())).hexdigest()[:12]}"
    return {f"{folder}/{name}": body for name, body in assets.items()}


def _failures(validation: Validation, sections: Sequence[Section]) -> list[dict[str, Any]]:
    """What was not met, worst first, with the section that tells more; GX may have answered without one."""
    numbers = {name: section.number for section in sections for name in section.expectations}
    failed = [outcome for outcome in validation.outcomes if not outcome.success]
    failed.sort(key=lambda outcome: list(Severity).index(outcome.severity))
    return [
        {"outcome": outcome, "colour": COLOURS[outcome.severity], "section": numbers.get(outcome.name)}
        for outcome in failed
    ]


def _newest_first(runs: Sequence[RunSummary]) -> list[RunSummary]:
    return sorted(runs, key=lambda run: (run.batch_date, run.finished_at), reverse=True)


def _entry(run: RunSummary) -> dict[str, Any]:
    share = 100 * run.expectations_met / run.expectations_total if run.expectations_total else 0
    return {
        "run": run,
        "look": _look(run.verdict),
        "share": int(share),  # 99.6 % is not all
        "more_failed": max(0, run.expectations_total - run.expectations_met - len(run.failed)),
    }


def _look(verdict: str) -> _Look:
    return _LOOKS[Verdict(verdict)] if verdict in set(Verdict) else _LOOKS[Verdict.ERROR]


def _render(template: str, **values: Any) -> str:
    assets = Path(next(iter(static_assets()))).parent.as_posix()
    return _environment().get_template(template).render(assets=values["root"] + assets, **values)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

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
