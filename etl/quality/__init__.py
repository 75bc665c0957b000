"""The gate's side of Great Expectations, and the only place that imports it.

Importing GX takes seconds, so modules here import it inside the functions that need it: a process that does
not validate, such as the merge job, does not pay. And of what GX imports in turn, that which a gate hardly
ever uses is not loaded before somebody does use it.
"""

from etl.quality.deferred_imports import defer_imports

# Half of what importing GX costs: the statistics and the plot of a few expectations, and Markdown in notes.
defer_imports("altair", "mistune", "scipy.stats")
