"""Data Docs in a real browser: complete, connected, readable, and at peace with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urljoin
from urllib.request import urlopen

import pytest
from builders import EXPECTATIONS
from docs_site import HISTORY_DAYS, HOSTILE
from playwright.sync_api import Browser, expect
from tabs import Site, Tab, open_tab

from etl.quality.data_docs import render_index, static_assets

pytestmark = pytest.mark.slow

KINDS = ("passed", "quarantine", "too few rows", "all fails", "unreadable", "no suite", "hostile")
STATED = len(json.loads((EXPECTATIONS / "employee" / "suite.json").read_text())["expectations"])
DATASETS = ["a_dataset_with_quite_a_long_name", "employee", "visitors"]


class Links(HTMLParser):
    """Where a page leads, and the anchors it has."""

    def __init__(self, html: str):
        super().__init__()
        self.targets: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"href", "src"} and value:
                self.targets.add(value)
            if name in {"id", "name"} and value:
                self.anchors.add(value)


def places(site: Site) -> Iterator[str]:
    """A page of every kind."""
    yield from ("index.html", "employee/index.html", "employee/2026-10.html")
    yield from (site.pages[kind] for kind in KINDS)


def test_the_index_lists_datasets_dates_and_verdicts(tab: Tab):
    """Every dataset has its latest date and verdict, its runs, and a bar a run for the share that was met."""
    page = tab.open("index.html")
    employee = page.locator("#employee")

    assert page.locator("section h2").all_inner_texts() == DATASETS
    expect(employee.locator(".dataset-title")).to_contain_text(re.compile(r"2026-11-23\s+✔\s+Passed"))
    rows = employee.locator(".runs tbody tr")
    expect(rows).to_have_count(30)
    expect(rows.first).to_contain_text(f"{STATED} of {STATED}")
    expect(rows.nth(6)).to_contain_text(re.compile(r"2026-11-17[^A-Z]*◐\s+Passed with quarantine", re.S))
    expect(rows.nth(6)).to_contain_text("age_between")
    bars = employee.locator(".bars a")
    expect(bars).to_have_count(90)
    expect(bars.last).to_have_attribute("aria-label", f"2026-11-23: Passed, {STATED} of {STATED} met")


def test_every_link_leads_somewhere_and_every_run_is_reached(site: Site):
    """From the index, all links of all pages are answered, their anchors exist, and no page is left out."""
    pages: dict[str, Links] = {}
    wanted, seen = {f"{site.url}index.html"}, set()
    while wanted:
        url = wanted.pop()
        seen.add(url)
        with urlopen(url) as answer:
            assert answer.status == 200
            if answer.headers.get_content_type() == "text/html":
                pages[url] = Links(answer.read().decode())
                found = {urldefrag(urljoin(url, target)).url for target in pages[url].targets}
                wanted |= found - seen
    dangling = [
        f"{url}: {target}"
        for url, links in pages.items()
        for target in links.targets
        for at, anchor in [urldefrag(urljoin(url, target))]
        if anchor and anchor not in pages[at].anchors
    ]

    assert dangling == []
    assert {url.removeprefix(site.url) for url in pages} == {
        path.relative_to(site.folder).as_posix() for path in site.folder.rglob("*.html")
    }
    assert len(pages) > HISTORY_DAYS


def test_from_the_index_to_a_run_and_back(tab: Tab, site: Site):
    """A click on a date opens the run, the first crumb leads back; older runs are three clicks away."""
    page = tab.open("index.html")
    page.locator("#employee .runs").get_by_role("link", name="2026-11-17").click()
    expect(page).to_have_title("employee 2026-11-17: Passed with quarantine")
    page.get_by_role("link", name="Home").click()
    expect(page).to_have_title("Data Docs")
    page.get_by_role("link", name="All runs of employee, by month").click()
    page.get_by_role("link", name="2026-07").click()
    page.get_by_role("link", name="2026-07-28").click()
    expect(page.locator(".verdict")).to_contain_text("Passed with quarantine")
    page.get_by_role("link", name="2026-07", exact=True).click()
    expect(page).to_have_title("employee 2026-07")


def test_a_bar_leads_to_its_run(tab: Tab):
    """The chart is a way to the runs, also by keyboard."""
    page = tab.open("index.html")
    page.locator("#employee .bars a").last.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_title("employee 2026-11-23: Passed")


def test_failed_only_hides_what_was_met(tab: Tab, site: Site):
    """The filter leaves the expectations that failed, and takes away columns where none did."""
    page = tab.open(site.pages["quarantine"])
    rows = page.locator(".ge-section tbody tr:visible")
    expect(rows).to_have_count(STATED)
    page.get_by_label("Failed only").check()
    expect(rows).to_have_count(4)
    expect(page.locator(".ge-section:visible h5")).to_have_text(
        ["Table-Level Expectations", "age", "department", "salary"]
    )
    page.get_by_label("All").check()
    expect(rows).to_have_count(STATED)


def test_a_failure_leads_to_its_section(tab: Tab, site: Site):
    """What failed is listed first, worst first; a click shows the section that says more, heading and all."""
    page = tab.open(site.pages["all fails"])
    expect(page.locator(".failures tbody tr").first).to_contain_text("critical")
    page.locator(".failures").get_by_role("link", name="salary_between").click()
    heading = page.locator(".ge-section").filter(has_text="salary_between").locator("h5")
    expect(heading).to_be_in_viewport()
    is_on_top = """heading => {
      const box = heading.getBoundingClientRect();
      return heading.contains(document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2));
    }"""
    assert heading.evaluate(is_on_top)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("passed", "The merge goes on by itself"),
        ("quarantine", "SELECT line_number, kind, reasons, row_text"),
        ("too few rows", "critical expectations failed: row_count_plausible"),
        ("unreadable", "column salary is missing from the header"),
        ("no suite", "it has no expectations, so everything would pass"),
    ],
)
def test_a_run_says_why_and_what_now(tab: Tab, site: Site, kind: str, told: str):
    """Whatever became of a batch, its page says why and what people do about it."""
    page = tab.open(site.pages[kind])

    expect(page.locator("#overview")).to_contain_text(told, ignore_case=True)
    expect(page.locator(".verdict")).to_contain_text("What now:")


def test_no_page_is_wider_than_the_window(tab: Tab, site: Site):
    """Nobody has to scroll sideways, and no text runs out of its box, on a desk or on a telephone."""
    for place in places(site):
        page = tab.open(place)
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, place
        assert page.evaluate(_RUNS_OUT) == [], place


def test_text_can_be_read(tab: Tab, site: Site):
    """All text stands out from its ground by WCAG's 4.5 to 1, or 3 to 1 where it is large."""
    for place in places(site):
        assert tab.open(place).evaluate(_TOO_FAINT) == [], place


def test_pages_say_what_they_are(wide_tab: Tab, site: Site):
    """Pages have a language and a title of their own, pictures a text, tables their headings."""
    titles = set()
    for place in places(site):
        page = wide_tab.open(place)
        titles.add(page.title())
        assert page.locator("html").get_attribute("lang") == "en"
        assert page.locator("img").count() > 0
        assert page.locator("img:not([alt]), img[alt='']").count() == 0
        assert page.locator("h1").count() == 1
        assert page.locator("table:not(:has(th))").count() == 0
    assert len(titles) == len([*places(site)])


def test_hostile_text_is_text(tab: Tab, site: Site):
    """Markup in a description or a value is shown as text and does nothing; a file's name is not shown."""
    page = tab.open(site.pages["hostile"])

    expect(page.locator(".facts")).not_to_contain_text(HOSTILE)
    expect(page.locator(".failures")).to_contain_text(HOSTILE)
    expect(page.locator(".failures")).to_contain_text("Found: ['<script>document.title=")
    expect(page.locator(".ge-section").first).to_contain_text(HOSTILE)
    assert page.locator("script, img[onerror]").count() == 0
    assert page.title() == "visitors 2026-11-24: Rejected"


def test_the_folder_can_be_opened_from_a_disk(browser: Browser, site: Site):
    """Without any server the pages look the same and lead on."""
    for tab in open_tab(browser, f"{site.folder.as_uri()}/", 1280):
        page = tab.page
        page.goto(f"{tab.url}index.html")
        assert page.evaluate(
            "getComputedStyle(document.querySelector('.badge-success')).backgroundColor"
        ) == ("rgb(30, 126, 52)")
        page.locator("#employee .runs").get_by_role("link", name="2026-11-23").click()
        expect(page).to_have_title("employee 2026-11-23: Passed")


def test_an_index_without_runs_says_so(browser: Browser, tmp_path: Path):
    """Before the first run there is a page, and it says what will make the next."""
    for name, body in {**static_assets(), "index.html": render_index([]).encode()}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(body)
    for tab in open_tab(browser, f"{tmp_path.as_uri()}/", 390):
        tab.page.goto(f"{tab.url}index.html")
        expect(tab.page.locator(".alert")).to_contain_text("Nothing was judged yet")


# Elements whose text is wider than they are and not cut off, by class or tag.
_RUNS_OUT = """() => [...document.querySelectorAll("body *")]
  .filter(e => e.children.length === 0 && e.innerText?.trim() && e.clientWidth > 0)
  .filter(e => e.scrollWidth > e.clientWidth + 1)
  .map(e => `${e.tagName}.${e.className}: ${e.innerText.slice(0, 40)}`)"""

# Texts that are too faint on what is behind them, translucent grounds included.
# Formula: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
_TOO_FAINT = """() => {
  const rgba = text => text.match(/[\\d.]+/g).map(Number);
  const channel = c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  const ground = e => {
    if (!e) return [255, 255, 255];
    const [r, g, b, a = 1] = rgba(getComputedStyle(e).backgroundColor);
    return a === 1 ? [r, g, b] : ground(e.parentElement).map((c, i) => a * [r, g, b][i] + (1 - a) * c);
  };
  const faint = [];
  for (const e of document.querySelectorAll("body *")) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.offsetParent) continue;
    const style = getComputedStyle(e), size = parseFloat(style.fontSize);
    const [one, other] = [light(rgba(style.color)), light(ground(e))];
    const ratio = (Math.max(one, other) + .05) / (Math.min(one, other) + .05);
    const isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (isLarge ? 3 : 4.5))
      faint.push(`${e.tagName}.${e.className} ${ratio.toFixed(2)}: ${e.innerText}`);
  }
  return faint;
}"""
