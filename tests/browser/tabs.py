"""A tab of the browser that remembers everything that went wrong in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response


@dataclass(frozen=True, slots=True)
class Site:
    """Data Docs that are served; `pages` has one of each kind of finding, by its place."""

    folder: Path
    url: str
    pages: dict[str, str]


@dataclass  # without slots: Playwright sets attributes on whose methods it calls
class Tab:
    """A page of the browser, and everything that went wrong in it."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def open(self, place: str) -> Page:
        answer = self.page.goto(self.url + place)
        assert answer is not None
        assert answer.ok, place
        return self.page

    def note_message(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def note_failure(self, request: Request) -> None:
        """But for what the browser gave up because the page was left while it loaded."""
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"failed: {request.url} ({request.failure})")

    def note_request(self, request: Request) -> None:
        if not request.url.startswith(self.url):
            self.complaints.append(f"request to {request.url}")

    def note_answer(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")


def open_tab(browser: Browser, url: str, width: int) -> Iterator[Tab]:
    """A tab that must have had no complaints in the end."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    tab = Tab(context.new_page(), url)
    tab.page.on("console", tab.note_message)
    tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.page.on("request", tab.note_request)
    tab.page.on("requestfailed", tab.note_failure)
    tab.page.on("response", tab.note_answer)
    yield tab
    context.close()
    assert tab.complaints == []
