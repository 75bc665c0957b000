"""The gate's side of Great Expectations, and the only place that imports it.

Importing GX takes 3 seconds, so modules here import it inside the functions that need it: a process that does
not validate, such as the merge job, does not pay.
"""
