"""What publishing a run's Data Docs costs, and what is left when several publish at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from posixpath import dirname, join, normpath
from threading import Barrier, Lock
from typing import Any

import pytest
from builders import a_gate_report
from lakes import ALake

from etl.aws.clients import client as the_client
from etl.aws.lake import Lake
from etl.publishing import publish_run
from etl.quality.data_docs import static_assets
from etl.run_report import GateReport, Verdict

pytestmark = pytest.mark.slow

PREFIX = "data-docs/"


@dataclass(frozen=True, slots=True)
class Request:
    """One request to S3; `sent` is the size of its body in bytes."""

    method: str
    key: str
    sent: int


@contextmanager
def requests_to_s3() -> Iterator[list[Request]]:
    """The requests that leave this process while the block runs, retries included."""
    seen: list[Request] = []

    def note(request: Any, **_: Any) -> None:
        key = request.url.partition("?")[0].partition(PREFIX)[2]
        sent = request.headers.get("Content-Length", 0)
        seen.append(Request(request.method, key, int(sent)))

    events = the_client("s3").meta.events
    events.register("before-send.s3", note)
    try:
        yield seen
    finally:
        events.unregister("before-send.s3", note)


def published(reports: list[GateReport], lake: Lake) -> list[list[Request]]:
    """Publish one after the other; the requests of each."""
    costs = []
    for report in reports:
        with requests_to_s3() as seen:
            publish_run(report, None, {}, lake)
        costs.append(seen)
    return costs


def a_history(runs: int, first: date = date(2024, 1, 1), every_days: int = 1) -> list[GateReport]:
    """Runs in a row, one in ten of which was rejected; ids and texts are of one length."""
    return [
        replace(
            a_gate_report(batch_date=str(first + timedelta(days=n * every_days)), run_id=f"wr_{n:04}"),
            verdict=Verdict.REJECTED if n % 10 == 0 else Verdict.PASSED,
        )
        for n in range(runs)
    ]


def page(lake: ALake, name: str) -> str:
    answer = lake.client("s3").get_object(Bucket=lake.bucket("docs"), Key=PREFIX + name)
    return answer["Body"].read().decode()


def reachable(lake: ALake) -> set[str]:
    """The pages that links lead to from the index, itself among them; a link to nowhere raises."""
    found, waiting = set(), ["index.html"]
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            links = re.findall(r'href="([^"#]+\.html)', page(lake, place))
            waiting += [normpath(join(dirname(place), link)) for link in links]
    return found


def test_the_cost_of_a_run_does_not_grow_with_history(lake: ALake):
    """Of 200 runs in three years, the last 100 make no more requests and write no more bytes than the others.

    By then the index is full. No page and no result of an earlier run is read again, and in the end each run
    can be reached.
    """
    history = a_history(200, every_days=5)
    costs = published(history, lake.of_run())
    requests = [len(seen) for seen in costs]
    sent = [sum(request.sent for request in seen) for seen in costs]
    read = {request.key for seen in costs for request in seen if request.method == "GET"}

    assert max(requests[100:]) <= max(requests[1:100])
    assert max(sent[100:]) <= max(sent[1:100])
    assert sent[199] <= sent[199 - 365 // 5]  # the same day a year before
    assert {
        key for key in read if not re.fullmatch(r"(employee/)?index\.json|employee/\d{4}-\d\d\.json", key)
    } == set()
    assert {report.docs_key for report in history} <= reachable(lake)


def test_publishing_makes_nine_requests(lake: ALake):
    """A run writes its page, then the lists of its month and of the index with their pages: nothing else."""
    _, second = published(a_history(2), lake.of_run())
    *_, last_asset = static_assets()

    assert [(request.method, request.key) for request in second] == [
        ("HEAD", last_asset),
        ("PUT", "employee/2024-01-02/wr_0001.html"),
        ("GET", "employee/2024-01.json"),
        ("PUT", "employee/2024-01.html"),
        ("PUT", "employee/2024-01.json"),
        ("GET", "employee/index.json"),
        ("GET", "index.json"),
        ("PUT", "index.html"),
        ("PUT", "index.json"),
    ]


def test_assets_are_published_once_and_again_when_they_change(lake: ALake, monkeypatch: pytest.MonkeyPatch):
    """Pages get the look they were made with: other assets lie in another folder."""
    published(a_history(1), lake.of_run())
    mended = {f"static/new/{name.rpartition('/')[2]}": body for name, body in static_assets().items()}
    monkeypatch.setattr("etl.publishing.static_assets", lambda: mended)
    published(a_history(1), lake.of_run())

    assert {*static_assets(), *mended} <= {key.removeprefix(PREFIX) for key in lake.keys("docs")}


def test_a_run_published_anew_is_listed_once(lake: ALake):
    """A job that is repeated replaces what it published before."""
    (report,) = a_history(1)
    published([report, replace(report, verdict=Verdict.ERROR, problems=("the disk is full",))], lake.of_run())

    assert len(json.loads(page(lake, "index.json"))) == 1
    assert len(json.loads(page(lake, "employee/2024-01.json"))) == 1
    assert "the disk is full" in page(lake, "index.html")


@pytest.fixture
def short_index(monkeypatch: pytest.MonkeyPatch) -> int:
    """An index with room for few runs, so that few are enough to fill it."""
    monkeypatch.setattr("etl.publishing.MOST_ON_INDEX", 5)
    return 5


def test_the_index_keeps_the_newest_dates(lake: ALake, short_index: int):
    """A backfill of old dates adds to their months, and does not push the newest batches off the index."""
    newest = a_history(short_index, date(2026, 1, 1))
    old = replace(
        a_gate_report(batch_date="2020-05-05", run_id="wr_old"), finished_at="2026-11-24T00:00:00+00:00"
    )
    published([*newest[-2:], *newest[:-2], old], lake.of_run())
    listed = {entry["run_id"] for entry in json.loads(page(lake, "index.json"))}

    assert listed == {report.run_id for report in newest}
    assert old.docs_key in reachable(lake)


def test_other_datasets_stay_on_the_index(lake: ALake, short_index: int):
    """Runs of one dataset do not push out those of another."""
    orders = a_gate_report(dataset="orders", run_id="wr_orders")
    published([orders, *a_history(short_index + 5)], lake.of_run())
    listed = [entry["dataset"] for entry in json.loads(page(lake, "index.json"))]

    assert (listed.count("orders"), listed.count("employee")) == (1, short_index)
    assert orders.docs_key in reachable(lake)


@pytest.mark.parametrize("attempt", range(3))
def test_runs_that_end_at_once_are_all_on_the_pages(lake: ALake, attempt: int):
    """Of six gates that publish at the same time, each is in the lists and on the pages that show them."""
    reports = [
        a_gate_report(dataset=f"feed_{n % 2}", batch_date=f"2026-0{n + 1}-0{attempt + 1}", run_id=f"wr_{n}")
        for n in range(6)
    ]
    start = Barrier(len(reports))

    def publish(report: GateReport) -> None:
        start.wait()
        publish_run(report, None, {}, lake.of_run(report.run_id))

    with ThreadPoolExecutor(len(reports)) as pool:
        list(pool.map(publish, reports))

    assert {entry["run_id"] for entry in json.loads(page(lake, "index.json"))} == {r.run_id for r in reports}
    assert [r.run_id for r in reports if r.docs_key not in page(lake, "index.html")] == []
    assert {report.docs_key for report in reports} <= reachable(lake)


def test_a_page_that_arrives_late_does_not_stay(lake: ALake):
    """A gate whose index is overtaken by another gate's, list and all, shows both runs in the end."""
    early, late = a_history(2)
    overtaken = Lock()

    class ASlowLake(Lake):
        def write_page(self, name: str, body: str | bytes, content_type: str = "text/html") -> None:
            if name == "index.html" and overtaken.acquire(blocking=False):
                publish_run(late, None, {}, lake.of_run(late.run_id))  # from its first to its last write
            super().write_page(name, body, content_type)

    publish_run(early, None, {}, ASlowLake(lake.of_run()._settings))

    assert [r.run_id for r in (early, late) if r.docs_key not in page(lake, "index.html")] == []


def test_a_page_that_hides_a_month_does_not_stay(lake: ALake):
    """Two gates find the same month to be new: that the other listed it first does not keep its page old."""
    first, second = a_history(2)
    other = a_gate_report(batch_date="2024-02-02", run_id="wr_other")
    overtaken = Lock()

    class ASlowLake(Lake):
        def write_page(self, name: str, body: str | bytes, content_type: str = "text/html") -> None:
            if name == "employee/index.html" and overtaken.acquire(blocking=False):
                for report in (second, other):
                    publish_run(report, None, {}, lake.of_run(report.run_id))
            super().write_page(name, body, content_type)

    publish_run(first, None, {}, ASlowLake(lake.of_run()._settings))

    assert "2024-01.html" in page(lake, "employee/index.html")
    assert "2024-02.html" in page(lake, "employee/index.html")
