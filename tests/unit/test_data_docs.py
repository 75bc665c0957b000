"""Data Docs: complete, escaped, linked, and free of the network."""

import json
import re
from dataclasses import asdict, replace
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from posixpath import dirname, join, normpath

import pyarrow as pa
import pytest

from etl.contract import load_contract
from etl.quality.data_docs import (
    MOST_LISTED,
    RunInfo,
    RunSummary,
    render_index,
    render_run_page,
    static_assets,
)
from etl.quality.suite import load_suite
from etl.quality.validate import Validation, validate_rows
from scripts.sample_people import people

FOLDER = Path(__file__).parents[2] / "expectations" / "employee"
TODAY = date(2026, 11, 24)
CONTRACT = load_contract((FOLDER / "contract.yaml").read_text(), "employee/contract.yaml")
SUITE_TEXT = (FOLDER / "suite.json").read_text()
RUN = RunInfo(
    dataset="employee",
    batch_date="2026-11-24",
    run_id="wr_1",
    batch_id="0f3a",
    verdict="passed",
    object_key="employee/dt=2026-11-24/employees.csv",
    object_version="v1",
    finished_at="2026-11-24T03:01:12+00:00",
    counts={"read": 1034, "quarantined": 0, "unparsable": 0},
    expectations_met=24,
    expectations_total=24,
)


def validated(rows: pa.Table, suite_text: str = SUITE_TEXT) -> Validation:
    return validate_rows(rows, load_suite(suite_text, "employee/suite.json", CONTRACT), CONTRACT, TODAY)


@pytest.fixture(scope="module")
def passing() -> Validation:
    return validated(people(600, TODAY, 7))


@pytest.fixture(scope="module")
def failing() -> Validation:
    rows = people(600, TODAY, 7)
    salaries = [-1, *rows["salary"].to_pylist()[1:]]
    ages = [230, 230, *rows["age"].to_pylist()[2:]]
    return validated(rows.set_column(5, "salary", pa.array(salaries)).set_column(2, "age", pa.array(ages)))


class Page(HTMLParser):
    """Links, anchors and text of a page."""

    def __init__(self, html: str):
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]):
        self.tags.append(tag)
        for name, value in attrs:
            if name in {"href", "src"}:
                self.links.append(value or "")
            if name == "id":
                self.anchors.add(value or "")

    def handle_data(self, data: str):
        self.text += f"{data} "


def test_a_page_names_run_verdict_and_counts(passing: Validation):
    """A page says what was judged, what became of it, and of how many rows."""
    text = Page(render_run_page(passing, RUN)).text

    for fact in (
        "Passed",
        "2026-11-24",
        RUN.object_key,
        "0f3a",
        "wr_1",
        "1,034 rows read",
        "24 of 24",
        "03:01 UTC",
    ):
        assert fact in text
    assert passing.results["meta"]["suite_fingerprint"] in text


def test_every_expectation_is_on_the_page_with_severity_name_and_description(failing: Validation):
    """Each expectation stands under its own name, with its severity before and its description after it."""
    text = Page(render_run_page(failing, RUN)).text

    for outcome in failing.outcomes:
        assert re.search(rf"{outcome.severity} {outcome.name} {re.escape(outcome.description)}", text), (
            outcome.name
        )


def test_failures_are_counted_where_they_stand(failing: Validation):
    """The table of contents counts failures by column; what failed says how many rows."""
    text = Page(render_run_page(failing, RUN)).text

    assert "age 1 department job_title salary 1 hire_date" in text
    assert re.search(r"age_between .{0,90} 2 unexpected values found.{0,20}600 total rows", text)


def test_colours_follow_severity(failing: Validation):
    """A failing warning is not shown in the red of a failing critical expectation."""
    html = render_run_page(failing, RUN)

    assert "text-warning" in html
    assert "text-danger" not in html


@pytest.mark.parametrize(
    ("verdict", "title"),
    [
        ("passed", "Passed"),
        ("passed_with_quarantine", "Passed with quarantine"),
        ("rejected", "Rejected"),
        ("error", "Error"),
    ],
)
def test_every_verdict_has_its_words(verdict: str, title: str):
    """All verdicts of a run report are known to the pages."""
    page = Page(render_run_page(None, replace(RUN, verdict=verdict)))

    assert f"Overview {title} " in page.text


def test_a_file_that_could_not_be_read_has_a_page_that_says_why():
    """A batch that was rejected before any expectation was evaluated has a page, with the reason."""
    run = replace(RUN, verdict="rejected", reason="column salary is missing", expectations_total=0, counts={})
    text = Page(render_run_page(None, run)).text

    assert "Why: column salary is missing" in text
    assert "No expectation was evaluated" in text


def test_an_expectation_that_broke_says_so():
    """An error of the check is shown as such, without a traceback."""
    rows = people(600, TODAY, 7)
    broken = validated(rows.set_column(5, "salary", pa.array(["a lot"] * 600)))
    text = Page(render_run_page(broken, replace(RUN, verdict="error"))).text

    assert "It broke: TypeError" in text
    assert "Traceback" not in text


def test_markup_in_data_and_suite_is_shown_and_not_run():
    """Text from a suite, a reason or a file name cannot become markup of the page."""
    attack = "<script>alert(1)</script>"
    document = json.loads(SUITE_TEXT)
    document["expectations"][0]["description"] = attack
    document["expectations"].append(
        {
            "type": "expect_column_distinct_values_to_be_in_set",
            "kwargs": {"column": "department", "value_set": [attack, "Data"]},
            "severity": "warning",
            "description": "Departments.",
            "meta": {"name": "departments", "owner": "people-data"},
        }
    )
    rows = people(600, TODAY, 7).set_column(3, "department", pa.array([attack] * 600))
    run = replace(RUN, reason=attack, object_key=attack, failed=(attack,))
    page = render_run_page(validated(rows, json.dumps(document)), run)
    index = render_index([RunSummary.of(run, run.page)])

    assert "script" not in Page(page).tags
    assert "script" not in Page(index).tags
    assert Page(page).text.count("alert(1)") >= 3


def test_an_expectation_with_dollars_and_braces_in_its_words_is_shown_as_written():
    """GX substitutes `$name` in templates; a description is not one."""
    document = json.loads(SUITE_TEXT)
    document["expectations"][0]["description"] = "Costs $5, or $column {{ x }}."
    page = Page(render_run_page(validated(people(600, TODAY, 7), json.dumps(document)), RUN))

    assert "Costs $5, or $column {{ x }}." in page.text


def test_links_lead_somewhere(failing: Validation):
    """Every link of a page or the index leads to a page, an asset or an anchor that there is."""
    index = render_index([RunSummary.of(RUN, RUN.page)])
    pages = {"index.html": index, RUN.page: render_run_page(failing, RUN)}
    for place, html in pages.items():
        for link in Page(html).links:
            path, _, anchor = link.partition("#")
            target = normpath(join(dirname(place), path)) if path else place
            assert target in {*pages, *static_assets()}, link
            assert not anchor or anchor in Page(pages[target]).anchors, link


def test_nothing_is_fetched_from_the_network(failing: Validation):
    """Pages and assets name no other host, and need no script."""
    index = render_index([RunSummary.of(RUN, RUN.page)])
    for html in (index, render_run_page(failing, RUN)):
        assert "script" not in Page(html).tags
        assert not re.search(r"(src|href)=\"(https?:)?//", html)
    for name, body in static_assets().items():
        if name.endswith(".css"):
            assert b"url(http" not in body
            assert b"@import" not in body


def test_assets_are_small():
    """What every docs zone carries is a fraction of the 4 MB of GX's own site."""
    assert sum(map(len, static_assets().values())) < 250_000


def test_summaries_survive_json():
    """The index is rendered from what was kept as JSON."""
    run = replace(RUN, failed=("age_between",), counts={"read": 7})
    kept = json.loads(json.dumps(asdict(RunSummary.of(run, run.page))))

    assert render_index([RunSummary(**kept)]) == render_index([RunSummary.of(run, run.page)])


def test_the_index_lists_newest_first_by_dataset():
    """Each dataset has its runs, newest batch date first, and its latest verdict."""
    runs = [
        RunSummary.of(
            replace(RUN, dataset=dataset, batch_date=day, verdict=verdict, run_id=f"{dataset}{day}"), "p"
        )
        for dataset in ("orders", "employee")
        for day, verdict in (("2026-11-23", "passed"), ("2026-11-25", "rejected"), ("2026-11-24", "passed"))
    ]
    text = Page(render_index(runs)).text

    assert text.index("employee latest: 2026-11-25 Rejected") < text.index(
        "orders latest: 2026-11-25 Rejected"
    )
    assert (
        text.index("2026-11-25 Rejected 24 of")
        < text.index("2026-11-24 Passed")
        < text.index("2026-11-23 Passed")
    )


def test_the_index_does_not_grow_for_ever():
    """After a year of runs the index stays as large as it is, and says what it leaves out."""
    days = [TODAY - timedelta(days=age) for age in range(1000)]
    runs = [RunSummary.of(replace(RUN, batch_date=str(day)), f"employee/{day}/r.html") for day in days]
    page, year = render_index(runs), render_index(runs[:MOST_LISTED])

    assert len(page) < len(year) + 200
    assert str(days[0]) in page
    assert str(days[-1]) not in page
    assert f"{1000 - MOST_LISTED} older runs are not listed" in Page(page).text


def test_an_index_without_runs():
    """Before the first run the index says that there is none."""
    assert "Nothing was judged yet." in Page(render_index([])).text


def test_an_entry_of_a_later_version_is_listed():
    """The list of runs outlives a rolled-back deployment: fields that are not known are passed over."""
    entry = {
        "dataset": "employee",
        "batch_date": "2026-11-24",
        "run_id": "wr_1",
        "verdict": "passed",
        "page": "employee/2026-11-24/wr_1.html",
        "finished_at": "2026-11-24T03:00:00+00:00",
        "from_the_future": 1,
    }
    assert RunSummary.from_json(entry).run_id == "wr_1"
