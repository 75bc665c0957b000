"""Publishes a run's Data Docs: its own page, and the three lists that lead to it.

What a run costs does not grow with history. The index shows the newest runs of each dataset, and every run is
on the page of its month, which grows with the runs of that month alone; the months of a dataset are on a page
of their own, which is written when a month is new. No run's results are read again.

What the index leads to is written before the index. (The crumbs of a dataset's first run lead nowhere for as
long as its publishing takes.)

Under the prefix of the Data Docs: `index.html`, `<dataset>/index.html` (its months),
`<dataset>/<month>.html`, `<dataset>/<batch_date>/<run_id>.html` and `static/<hash>/…`; the lists are JSON
beside the pages that show them: `index.json`, `<dataset>/index.json`, `<dataset>/<month>.json`.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from etl.aws.lake import Lake
from etl.quality.data_docs import (
    MOST_ON_INDEX,
    RunSummary,
    render_index,
    render_month,
    render_months,
    render_run_page,
    static_assets,
)
from etl.quality.validate import Validation
from etl.run_report import GateReport

_CONTENT_TYPES = {"css": "text/css", "png": "image/png", "ico": "image/x-icon"}


def publish_run(
    report: GateReport, validation: Validation | None, facts: Mapping[str, str], lake: Lake
) -> None:
    """Publish under `report.docs_key`, anew if it was before; `facts` are shown beside the report's own."""
    _publish_assets(lake)
    lake.write_page(report.docs_key, render_run_page(validation, report, facts))
    dataset, month = report.dataset, report.batch_date[:7]
    entry = asdict(RunSummary.of(report))
    lake.publish_list(
        f"{dataset}/{month}.json",
        f"{dataset}/{month}.html",
        lambda known: with_run(known or [], entry),
        lambda runs: render_month(dataset, month, _summaries(runs)),
    )
    lake.publish_list(
        f"{dataset}/index.json",
        f"{dataset}/index.html",
        lambda known: sorted({*(known or []), month}),
        lambda months: render_months(dataset, months),
    )
    lake.publish_list(
        "index.json",
        "index.html",
        lambda known: _newest(with_run(known or [], entry), dataset),
        lambda runs: render_index(_summaries(runs)),
    )


def with_run(known: list[Any], entry: dict[str, Any]) -> list[Any]:
    """`known` with this run's entry, in place of an earlier one of the same run."""
    return [other for other in known if other["run_id"] != entry["run_id"]] + [entry]


def _newest(runs: list[Any], dataset: str) -> list[Any]:
    """Of the dataset's runs the newest that the index has room for; those of others as they are."""
    mine = [run for run in runs if run["dataset"] == dataset]
    mine.sort(key=lambda run: (run["batch_date"], run["finished_at"]))
    return [run for run in runs if run["dataset"] != dataset] + mine[-MOST_ON_INDEX:]


def _publish_assets(lake: Lake) -> None:
    """What all pages link to, unless it is there: then so is the asset that is written last."""
    assets = static_assets()
    *_, last = assets
    if not lake.has_page(last):
        for name, body in assets.items():
            lake.write_page(name, body, _CONTENT_TYPES[name.rpartition(".")[2]])


def _summaries(entries: list[Any]) -> list[RunSummary]:
    return [RunSummary.from_json(entry) for entry in entries]
