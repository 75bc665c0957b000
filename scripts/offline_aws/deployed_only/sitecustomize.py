"""Leave to deployed code its own archives, the standard library and the installed packages, nothing else.

Python imports this at start-up, because the folder is on PYTHONPATH. An editable install of the project puts
the working tree on the path; a script whose wheel was forgotten would then work here and fail on AWS.
"""

import os
import sys

given = {os.path.realpath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path}
given.discard(os.path.realpath(os.path.dirname(__file__)))
interpreter = tuple(os.path.realpath(prefix) + os.sep for prefix in {sys.prefix, sys.base_prefix})
sys.path[:] = [
    path
    for path in sys.path
    if os.path.realpath(path) in given
    or (
        (os.path.realpath(path) + os.sep).startswith(interpreter)
        and not os.path.isfile(os.path.join(path, "pyproject.toml"))
    )
]
sys.meta_path[:] = [
    finder for finder in sys.meta_path if not getattr(finder, "__module__", "").startswith("__editable__")
]
