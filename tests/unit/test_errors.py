"""The tree of errors."""

import inspect
import pickle

import pytest

from etl import errors
from etl.errors import FileRejected, LakegateError, RawKeyInvalid

CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, LakegateError) and value is not LakegateError
]
SAMPLES = {"str": "what it is about", "tuple[str, ...]": ("one", "two"), "int": 7}


def a_sample(kind: type[LakegateError]) -> LakegateError:
    parameters = inspect.signature(kind).parameters.values()
    return kind(*(SAMPLES[inspect.formatannotation(p.annotation)] for p in parameters))


@pytest.mark.parametrize("kind", CLASSES)
def test_errors_survive_pickling(kind: type[LakegateError]):
    """Class, message and facts cross the border of a process."""
    error = a_sample(kind)
    again = pickle.loads(pickle.dumps(error))

    assert type(again) is kind
    assert (str(again), vars(again), again.args) == (str(error), vars(error), error.args)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_says_what_to_make_of_it(kind: type[LakegateError]):
    """An error has a message with its facts, a failure's exit code, and knows if a retry can help."""
    message = str(a_sample(kind))

    assert "what it is about" in message
    assert "('" not in message  # a tuple printed as Python prints it
    assert kind.exit_code in range(1, 126)
    assert isinstance(kind.retryable, bool)


@pytest.mark.parametrize("kind", [FileRejected, RawKeyInvalid])
def test_a_message_does_not_show_the_name_of_a_file(kind: type[LakegateError]):
    """The sender chose the name, and may have put somebody's into it."""
    assert "lovelace" not in str(kind("employee/dt=2026-11-24/ada-lovelace.csv", "what it is about"))


def test_only_what_may_pass_by_itself_is_retried():
    """Bad data, broken checks and wrong arguments stay what they are; conflicts and outages may not."""
    assert {kind.__name__ for kind in CLASSES if kind.retryable} == {
        "CommitConflict",
        "CommitStateUnknown",
        "FilesNotRemoved",
        "RunFailed",
    }
