"""Alerts: what people read first."""

import pytest

from etl.alert import compose


@pytest.mark.parametrize("headline", ["short", "x" * 300, "Zoë: 北京 " * 30, "employee: the gate job ended"])
def test_subjects_are_what_sns_takes(headline: str):
    """A subject is at most 100 ASCII characters and begins with who speaks and how serious it is."""
    subject = compose("employee", "critical", headline, {}, "Do it.").subject

    assert subject.isascii()
    assert len(subject) <= 100
    assert subject.startswith("[Lakegate critical] ")


def test_a_subject_is_one_line_whatever_the_headline_holds():
    """SNS refuses a subject with a line break or control character."""
    subject = compose("employee", "warning", "a\nb\r\n\tc\0d", {}, "Do it.").subject

    assert subject.isprintable()


def test_the_text_reads_well_in_a_mail():
    """Headline, one aligned fact a line, then what to do; facts without a value are left out."""
    alert = compose(
        "employee", "warning", "It passed", {"Dataset": "employee", "Why": None, "Run": "wr_1"}, "Look at it."
    )

    assert alert.text == "It passed\n\nDataset: employee\nRun:     wr_1\n\nLook at it.\n"
