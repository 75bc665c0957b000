"""Whoever is woken finds a page that says what to do."""

import re
from pathlib import Path

from etl.alert import AlertKind

CHECKOUT = Path(__file__).resolve().parents[2]
RUNBOOKS = CHECKOUT / "docs" / "runbooks"
PAGES = {page.stem for page in RUNBOOKS.glob("*.md")} - {"README"}

_ALARM = re.compile(
    r'^resource "aws_cloudwatch_(?:metric|composite)_alarm" "(\w+)" \{\n(.*?)^\}', re.M | re.S
)
_TEXT = re.compile(r'^  alarm_description = "(.*)"$', re.M)
_LINK = re.compile(r"Runbook: \$\{var\.runbooks_url\}/(?:([a-z-]+)\.md|\$\{each\.value\.runbook\})$")

# What writes to people by itself, with a text that is AWS's.
_WITHOUT_LINK = {"budget"}


def alarm_texts() -> dict[str, str]:
    """The text of each alarm in Terraform, by module and name of the resource."""
    return {
        f"{source.parent.name}.{name}": (_TEXT.findall(block) or [""])[0]
        for source in sorted((CHECKOUT / "terraform").rglob("*.tf"))
        for name, block in _ALARM.findall(source.read_text())
    }


def linked_pages() -> set[str]:
    """Those that an alarm's text names, and those that a table of alarms does."""
    linked = {match[1] for text in alarm_texts().values() if (match := _LINK.search(text)) and match[1]}
    sources = (source.read_text() for source in (CHECKOUT / "terraform").rglob("*.tf"))
    return linked | {page for text in sources for page in re.findall(r'runbook\s*= "([a-z-]+)\.md"', text)}


def alert_kinds() -> set[str]:
    return {kind.value for kind in AlertKind}


def test_every_alarm_says_how_bad_it_is_and_links_to_its_runbook():
    """An alarm's text begins with its severity, ends with its runbook, and is no longer than AWS takes."""
    texts = alarm_texts()
    assert len(texts) >= 13
    wrong = [
        name
        for name, text in texts.items()
        if not re.match(r"\[(critical|warning)\] ", text) or not _LINK.search(text) or len(text) > 900
    ]
    assert not wrong


def test_every_linked_runbook_is_there():
    """No alarm links to a page that nobody has written."""
    assert linked_pages() - PAGES == set()


def test_every_kind_of_alert_has_its_runbook():
    """An alert links to the page of its kind's name."""
    assert alert_kinds() - PAGES == set()


def test_no_runbook_is_orphaned():
    """A page that nothing leads to is one that nobody keeps current."""
    assert PAGES - linked_pages() - alert_kinds() - _WITHOUT_LINK == set()


def test_every_runbook_says_what_it_has_to():
    """Meaning, urgency, what to do, how to know that it is over: on every page, in under 60 lines."""
    parts = ("**What it means.**", "**How urgent.**", "**What to do.**", "**When it is over.**")
    for page in sorted(RUNBOOKS.glob("*.md")):
        text = page.read_text()
        if page.stem != "README":
            assert [part for part in parts if part not in text] == [], page.name
            assert len(text.splitlines()) < 60, page.name


def test_the_index_lists_every_runbook():
    """docs/runbooks/README.md has each page in a table, and no page that is not there."""
    listed = set(re.findall(r"\]\(([a-z-]+)\.md\) \|$", (RUNBOOKS / "README.md").read_text(), re.M))
    assert listed == PAGES
