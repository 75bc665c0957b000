"""One Chromium for all tests; without one they are skipped."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from docs_site import build_site
from playwright.sync_api import Browser, sync_playwright
from tabs import Site, Tab, open_tab

from scripts.docs_mirror import serve_folder

_OFFLINE = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    if not (program := next(found, None)):
        pytest.skip("no chromium, chromium-browser or google-chrome on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_OFFLINE))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("data-docs")
    pages = build_site(folder)
    with serve_folder(folder) as url:
        yield Site(folder, url, pages)


@pytest.fixture(params=[1280, 390], ids=["desktop", "telephone"])
def tab(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Tab]:
    yield from open_tab(browser, site.url, request.param)


@pytest.fixture
def wide_tab(browser: Browser, site: Site) -> Iterator[Tab]:
    yield from open_tab(browser, site.url, 1280)
