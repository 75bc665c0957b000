"""Lakegate: only rows that passed their suite reach the table.

The package stays importable with the standard library alone, because the Lambdas carry it without its
dependencies; import what you need from the modules below it.
"""

__version__ = "0.1.0"
