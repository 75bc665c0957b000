"""Data Docs: complete, escaped, linked, and free of the network."""

import json
import re
import subprocess
import sys
from dataclasses import asdict, replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from posixpath import dirname, join, normpath

import pyarrow as pa
import pytest
from builders import a_gate_report, an_expectation_that_shows_a_value

from etl.contract import load_contract
from etl.quality.data_docs import (
    RunSummary,
    render_index,
    render_month,
    render_months,
    render_run_page,
    static_assets,
)
from etl.quality.suite import load_suite
from etl.quality.validate import Validation, validate_rows
from etl.run_report import Verdict
from scripts.sample_people import people

FOLDER = Path(__file__).parents[2] / "expectations" / "employee"
TODAY = date(2026, 11, 24)
CONTRACT = load_contract((FOLDER / "contract.yaml").read_text(), "employee/contract.yaml")
SUITE_TEXT = (FOLDER / "suite.json").read_text()
RUN = a_gate_report()


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
        RUN.object_uri,
        "0f3a",
        "wr_1",
        "1,034 rows read",
        "25 of 25",
        "03:01 UTC",
        RUN.suite_fingerprint,
    ):
        assert fact in text


def test_further_facts_are_told(passing: Validation):
    """What a caller tells beside the report stands among the facts, as text."""
    page = render_run_page(passing, RUN, {"Metric values": "24 computed, <b>1</b> left to GX"})

    assert "Metric values 24 computed, <b>1</b> left to GX" in Page(page).text


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

    assert "age 1 failed department job_title salary 1 failed hire_date" in text
    assert re.search(r"age_between .{0,90} 2 unexpected values found.{0,20}600 total rows", text)


def test_colours_follow_severity(failing: Validation):
    """A failing warning is not shown in the red of a failing critical expectation."""
    html = render_run_page(failing, RUN)

    assert "text-warning" in html
    assert "text-danger" not in html


def test_what_failed_comes_first(failing: Validation):
    """Before all sections stands what failed, with severity and rows, each leading to its section."""
    page = Page(render_run_page(failing, RUN))
    overview = page.text[: page.text.index(RUN.object_uri)]

    assert "What failed Severity Expectation Rows warning age_between" in overview
    assert "warning salary_between" in overview
    assert "first_name_present" not in overview


def test_nothing_failed_is_not_told_at_length(passing: Validation):
    """A page without failures has no list of them, and nothing to filter by."""
    page = Page(render_run_page(passing, RUN))

    assert "What failed" not in page.text
    assert "failed-only" not in page.anchors


@pytest.mark.parametrize(
    ("verdict", "told", "next_step"),
    [
        (Verdict.PASSED, "✔ Passed", "the merge goes on by itself"),
        (Verdict.PASSED_WITH_QUARANTINE, "◐ Passed with quarantine", "in the quarantine table"),
        (Verdict.REJECTED, "✘ Rejected", "Ask the sender for a corrected file"),
        (Verdict.ERROR, "? Error", "Mend the suite or the contract"),
    ],
)
def test_every_verdict_has_its_words(verdict: Verdict, told: str, next_step: str):
    """A verdict is told in words and by a sign, not by colour alone, and with what to do now."""
    text = Page(render_run_page(None, a_gate_report(verdict=verdict))).text

    assert f"Overview {told} " in text
    assert next_step in text.partition("What now: ")[2]


def test_a_file_that_could_not_be_read_has_a_page_that_says_why():
    """A batch that was rejected before any expectation was evaluated has a page, with the reason."""
    run = a_gate_report(verdict=Verdict.REJECTED, reason="column salary is missing", expectations_total=0)
    text = Page(render_run_page(None, run)).text

    assert "Why: column salary is missing" in text
    assert "No expectation was evaluated" in text


def test_a_check_that_cannot_be_made_lists_its_problems():
    """All that is wrong with a suite or a contract is told, one by one."""
    run = a_gate_report(verdict=Verdict.ERROR, reason="the check cannot be made", problems=("one", "two"))
    text = Page(render_run_page(None, run)).text

    assert "Why: the check cannot be made one two What now" in text


def test_an_expectation_that_broke_says_so():
    """An error of the check is shown as such, without a traceback."""
    rows = people(600, TODAY, 7)
    broken = validated(rows.set_column(5, "salary", pa.array(["a lot"] * 600)))
    text = Page(render_run_page(broken, replace(RUN, verdict=Verdict.ERROR))).text

    assert "It broke: TypeError" in text
    assert "Traceback" not in text


def test_markup_in_data_and_suite_is_shown_and_not_run():
    """Text from a suite, a reason or a file name cannot become markup of the page."""
    attack = "<script>alert(1)</script>"
    document = json.loads(SUITE_TEXT)
    document["expectations"][0]["description"] = attack
    document["expectations"].append(an_expectation_that_shows_a_value())
    rows = people(600, TODAY, 7).set_column(3, "department", pa.array([attack] * 600))
    run = replace(RUN, reason=attack, problems=(attack,), object_uri=attack, failed=(attack,))
    page = render_run_page(validated(rows, json.dumps(document)), run, {attack: attack})
    lists = render_index([RunSummary.of(run)]), render_month("employee", attack, [RunSummary.of(run)])

    for html in (page, *lists):
        assert "script" not in Page(html).tags
        assert attack in Page(html).text
    assert Page(page).text.count("alert(1)") >= 8


def test_an_expectation_with_dollars_and_braces_in_its_words_is_shown_as_written():
    """GX substitutes `$name` in templates; a description is not one."""
    document = json.loads(SUITE_TEXT)
    document["expectations"][0]["description"] = "Costs $5, or $column {{ x }}."
    page = Page(render_run_page(validated(people(600, TODAY, 7), json.dumps(document)), RUN))

    assert "Costs $5, or $column {{ x }}." in page.text


@pytest.fixture
def pages(failing: Validation) -> dict[str, str]:
    """A site of one run, by the places of its pages."""
    return {
        "index.html": render_index([RunSummary.of(RUN)]),
        "employee/index.html": render_months("employee", ["2026-11"]),
        "employee/2026-11.html": render_month("employee", "2026-11", [RunSummary.of(RUN)]),
        RUN.docs_key: render_run_page(failing, RUN),
    }


def test_links_lead_somewhere(pages: dict[str, str]):
    """Every link of every page leads to a page, an asset or an anchor that there is."""
    for place, html in pages.items():
        for link in Page(html).links:
            path, _, anchor = link.partition("#")
            target = normpath(join(dirname(place), path)) if path else place
            assert target in {*pages, *static_assets()}, link
            assert not anchor or anchor in Page(pages[target]).anchors, link


def test_nothing_is_fetched_from_the_network(pages: dict[str, str]):
    """Pages and assets name no other host, and need no script."""
    for html in pages.values():
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
    """Lists are rendered from what was kept as JSON."""
    summary = RunSummary.of(replace(RUN, failed=("age_between",), reason="why"))
    kept = json.loads(json.dumps(asdict(summary)))

    assert render_index([RunSummary.from_json(kept)]) == render_index([summary])


def test_a_summary_is_short():
    """However much failed, and however long the reasons are, a line of a list stays a line."""
    run = replace(
        RUN,
        failed=tuple(f"expectation_{n}" for n in range(40)),
        expectations_total=60,
        expectations_met=20,
        reason="no " * 10_000,
    )
    summary = RunSummary.of(run)
    text = Page(render_index([summary])).text

    assert len(json.dumps(asdict(summary))) < 1000
    assert "expectation_4 , and 35 more" in text
    assert "expectation_5" not in text


def test_the_index_lists_newest_first_by_dataset():
    """Each dataset has its runs, newest batch date first, and its latest verdict."""
    runs = [
        RunSummary.of(
            a_gate_report(dataset=dataset, batch_date=day, verdict=verdict, run_id=f"{dataset}{day}")
        )
        for dataset in ("orders", "employee")
        for day, verdict in (
            ("2026-11-23", Verdict.PASSED),
            ("2026-11-25", Verdict.REJECTED),
            ("2026-11-24", Verdict.PASSED),
        )
    ]
    text = Page(render_index(runs)).text

    assert text.index("employee latest: 2026-11-25 ✘ Rejected") < text.index(
        "orders latest: 2026-11-25 ✘ Rejected"
    )
    assert (
        text.index("2026-11-25 ✘ Rejected 25 of")
        < text.index("2026-11-24 ✔ Passed")
        < text.index("2026-11-23 ✔ Passed")
    )


def test_the_share_is_never_rounded_up_to_all():
    """Of 400 expectations 399 met are 99 %."""
    summary = RunSummary.of(replace(RUN, expectations_total=400, expectations_met=399))

    assert "399 of 400 (99 %)" in Page(render_index([summary])).text


def test_months_lead_to_all_runs():
    """The months of a dataset stand under their years, newest first."""
    page = Page(render_months("employee", ["2025-12", "2026-02", "2026-01"]))

    assert "2026 2026-02 2026-01 2025 2025-12" in page.text
    assert {"2026-02.html", "2026-01.html", "2025-12.html"} <= set(page.links)


def test_an_index_without_runs():
    """Before the first run the index says that there is none."""
    assert "Nothing was judged yet." in Page(render_index([])).text


def test_an_entry_of_a_later_version_is_listed():
    """The lists of runs outlive a rolled-back deployment: fields that are not known are passed over."""
    entry = asdict(RunSummary.of(RUN)) | {"from_the_future": 1}

    assert RunSummary.from_json(entry) == RunSummary.of(RUN)


def test_the_merge_does_not_load_what_renders():
    """Importing the pipeline, as both jobs do, loads neither Great Expectations nor Jinja."""
    program = (
        "import sys, etl.pipeline; print({'great_expectations', 'jinja2', 'markupsafe'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
