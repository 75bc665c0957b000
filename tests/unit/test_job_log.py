"""A job's log: our words, and of others' the place alone, at whatever level."""

import re
import subprocess
import sys
from textwrap import dedent

import pytest

LIBRARY = """
    try:
        int("Lovelace")
    except ValueError:
        logging.getLogger("etlas.client").log({level}, "Lovelace, %s", "Ada", exc_info=True)
"""


def said_by(job: str) -> str:
    """All that a process prints that starts its log as a job does."""
    start = "import logging, warnings\nfrom etl.job_log import start_log\n"
    ended = subprocess.run(
        [sys.executable, "-c", start + dedent(job)], capture_output=True, text=True, check=True
    )
    return ended.stdout + ended.stderr


def test_our_own_words_are_logged():
    """What etl says is in the log as it was said."""
    assert (
        said_by("start_log(); logging.getLogger('etl.steps').info('%d rows', 3)")
        == "INFO etl.steps: 3 rows\n"
    )


@pytest.mark.parametrize("level", ["DEBUG", "WARNING", "CRITICAL"])
def test_a_library_cannot_quote_a_row(level: str):
    """Of a library's line the place stays; message, arguments and traceback go, whoever sets what level."""
    debugging = "start_log(); logging.getLogger().setLevel(logging.DEBUG)"
    said = said_by(debugging + dedent(LIBRARY.format(level=f"logging.{level}")))

    assert re.fullmatch(rf"{level} etlas\.client: \(<string>:\d+\)\n", said)


def test_handlers_that_were_there_before_get_no_more():
    """The platform's own handlers are given records without the words, too."""
    said = said_by(
        """
        logging.basicConfig(level=logging.DEBUG, format="the platform: %(message)s")
        start_log()
        logging.getLogger("botocore.endpoint").debug("Lovelace")
        """
    )

    assert re.fullmatch(r"the platform: \(<string>:\d+\)\n", said)


def test_a_warning_cannot_quote_a_row():
    """Python prints warnings to standard error with their text; here they are log lines like any other."""
    said = said_by("start_log(); warnings.warn('cannot parse Lovelace')")

    assert re.fullmatch(r"WARNING py\.warnings: \(.+:\d+\)\n", said)


@pytest.mark.parametrize("where", ["threading.Thread(target=fail).start()", "Holder()"])
def test_an_exception_that_nobody_waits_for_cannot_quote_a_row(where: str):
    """Python prints those of threads and destructors by itself; here their class is told."""
    said = said_by(
        f"""
        import threading
        def fail(*_):
            raise ValueError("Lovelace")
        class Holder:
            __del__ = fail
        start_log()
        {where}
        """
    )

    assert said == "ERROR etl: ValueError was raised where nobody waits for it\n"
