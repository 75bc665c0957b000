"""Alerts: what people read first."""

import json
from typing import Any

import pytest

from etl.alert import Alert, AlertKind, compose


def an_alert(**changes: Any) -> Alert:
    given: dict[str, Any] = {
        "dataset": "employee",
        "kind": AlertKind.RUN_FAILED,
        "severity": "warning",
        "scope": "wr_1",
        "headline": "It failed",
        "facts": {},
        "next_step": "Do it.",
        "runbooks_url": "https://example.com/runbooks/",
        "run_id": "wr_2",
    }
    return compose(**given | changes)


@pytest.mark.parametrize("headline", ["short", "x" * 300, "Zoë: 北京 " * 30, "employee: the gate job ended"])
def test_subjects_are_what_sns_takes(headline: str):
    """A subject is at most 100 ASCII characters and begins with who speaks and how serious it is."""
    subject = an_alert(severity="critical", headline=headline).subject

    assert subject.isascii()
    assert len(subject) <= 100
    assert subject.startswith("[Lakegate critical] ")


def test_a_subject_is_one_line_whatever_the_headline_holds():
    """SNS refuses a subject with a line break or control character."""
    assert an_alert(headline="a\nb\r\n\tc\0d").subject.isprintable()


def test_the_text_reads_well_in_a_mail():
    """Headline, one aligned fact a line, what to do, and the runbook; facts without a value are left out."""
    facts = {"Dataset": "employee", "Why": None, "None": (), "Failed": ["a", "b"]}

    assert an_alert(facts=facts).text == (
        "It failed\n\nDataset: employee\nFailed:  a\n         b\n\nDo it.\n\n"
        "Runbook: https://example.com/runbooks/run-failed.md\n"
    )


def test_a_long_list_says_how_much_of_it_is_left_out():
    """Of 24 items 12 are told, and that there are 12 more."""
    text = an_alert(facts={"Failed": [f"expectation {i}" for i in range(24)]}).text

    assert "expectation 11\n" in text
    assert "expectation 12\n" not in text
    assert "... and 12 more\n" in text


@pytest.mark.parametrize("item", ["x" * 5000, "北" * 5000])
def test_no_text_is_longer_than_8_kb(item: str):
    """Whole lines are left out, it is said so, and what to do is there in any case."""
    alert = an_alert(facts={f"Fact {i}": [item] * 20 for i in range(9)})

    assert len(alert.text.encode()) <= 8192
    assert "(The rest is left out here; see the Data Docs.)" in alert.text
    assert alert.text.endswith("Do it.\n\nRunbook: https://example.com/runbooks/run-failed.md\n")


def test_an_alert_survives_the_outbox():
    """What is sent later is what would have been sent at once."""
    alert = an_alert(facts={"Failed": ["a", "b"]})

    assert Alert.from_json(alert.to_json()) == alert


def test_programs_get_the_facts_by_name():
    """Chat and tickets read JSON, in the schema of custom notifications; no attribute of SNS is empty."""
    alert = an_alert(facts={"Error": "RunFailed: …"}, run_id="")
    told = json.loads(json.dumps(alert.for_machines()))

    assert told["version"] == "1.0"
    assert told["source"] == "custom"
    assert told["metadata"]["threadId"] == "wr_1"
    assert told["metadata"]["additionalContext"] == {
        "Error": "RunFailed: …", "dataset": "employee", "kind": "run-failed", "severity": "warning"
    }  # fmt: skip
    assert "run_id" not in alert.attributes
