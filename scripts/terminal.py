"""How commands look on a terminal."""

import sys

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


def open_console(width_in_a_file: int = 140) -> Console:
    """Standard output: as wide as the terminal is, or, where nobody looks, as wide as our tables."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else width_in_a_file)


def plain_table() -> Table:
    """Without lines but for one below the head."""
    return Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold cyan", show_edge=False)
