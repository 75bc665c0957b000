"""Who may import what, and what an error may say on its way out of a job."""

import logging
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.errors import CommitStateUnknown, LakegateError, RunFailed
from etl.glue_jobs import entry

BLOCKED = ("pyarrow", "pydantic", "yaml", "great_expectations", "pandas", "numpy", "duckdb", "pyiceberg")


@pytest.mark.parametrize("module", ["start_workflow", "handle_failure", "resume_run", "probe_freshness"])
def test_lambdas_need_the_standard_library_and_boto3_only(module: str):
    """A Lambda's zip holds etl alone, so none of its dependencies may be imported."""
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({BLOCKED!r})); import etl.lambdas.{module} as m; "
        "print(callable(m.handler))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.stdout.strip(), done.stderr) == ("True", "")


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    """A job starts its log for the whole process, which here goes on."""
    factory, hooks = logging.getLogRecordFactory(), (sys.unraisablehook, threading.excepthook)
    yield
    logging.setLogRecordFactory(factory)
    sys.unraisablehook, threading.excepthook = hooks
    logging.captureWarnings(False)


SECRET = "Zoë Núñez earns 50000"


@pytest.mark.parametrize("raised", [ValueError(SECRET), KeyError(SECRET), RuntimeError(SECRET)])
def test_what_others_say_stays_inside(
    raised: Exception, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    """A foreign exception may quote a row: the job tells its class and place, not its message."""

    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr(entry, "_run", fail)
    with pytest.raises(RunFailed, match=f"the gate step failed: {type(raised).__name__}$") as caught:
        entry.run_job("gate", {})
    told = "".join(traceback.format_exception(caught.value)) + "".join(capfd.readouterr())

    assert SECRET not in told
    assert "in fail" in told


def test_our_own_errors_leave_without_what_caused_them(monkeypatch: pytest.MonkeyPatch):
    """An error of ours goes out as it is, but the exception behind it is not printed with it."""

    def fail(*_: object) -> None:
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise CommitStateUnknown("db.employee", "ReadTimeout") from error

    monkeypatch.setattr(entry, "_run", fail)
    with pytest.raises(LakegateError) as caught:
        entry.run_job("merge", {})
    told = "".join(traceback.format_exception(caught.value))

    assert "CommitStateUnknown: it is unknown whether the commit to db.employee happened" in told
    assert SECRET not in told
