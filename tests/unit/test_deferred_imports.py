"""Modules that are loaded at their first use."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parents[2]


def printed(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_deferred_module_is_loaded_when_something_of_it_is_asked_for():
    """Its import costs nothing; its first use does, and finds everything in its place."""
    program = (
        "import sys; from etl.quality.deferred_imports import defer_imports; defer_imports('colorsys')\n"
        "import colorsys; before = 'rgb_to_hsv' in object.__getattribute__(colorsys, '__dict__')\n"
        "print(before, colorsys.rgb_to_hsv(1, 0, 0), type(colorsys).__name__)"
    )

    assert printed(program) == "False (0.0, 1.0, 1) module"


def test_a_module_that_is_missing_is_missing_at_its_import():
    """Deferring hides no mistake: what is not installed raises where it is imported."""
    program = (
        "from etl.quality.deferred_imports import defer_imports; defer_imports('no_such_module')\n"
        "try:\n import no_such_module\nexcept ModuleNotFoundError as error:\n print(error.name)"
    )

    assert printed(program) == "no_such_module"


@pytest.mark.parametrize("module", ["altair", "mistune", "scipy.stats"])
def test_great_expectations_does_not_load_what_a_gate_hardly_needs(module: str):
    """After the import of GX and all of its gallery these are not loaded, and still work when used."""
    use = {
        "altair": "altair.Chart.__name__",
        "mistune": "mistune.html('*x*').strip()",
        "scipy.stats": "float(scipy.stats.norm.cdf(0))",
    }[module]
    expected = {"altair": "Chart", "mistune": "<p><em>x</em></p>", "scipy.stats": "0.5"}[module]
    program = (
        "import sys, etl.quality, great_expectations.expectations.core\n"
        f"module = sys.modules['{module}']; print(type(module).__name__)\n"
        f"import {module}; print({use})"
    )

    assert printed(program) == f"_LazyModule\n{expected}"
