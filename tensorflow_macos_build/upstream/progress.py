"""GitPython's reader of git's progress lines, imported so that nobody's settings count.

When it is imported, GitPython starts the git that GIT_PYTHON_GIT_EXECUTABLE names, and raises where
that fails in the way that GIT_PYTHON_REFRESH says (GitPython's `git.refresh`). Its reader of lines
needs no git.
"""

from __future__ import annotations

import os

_PINNED = {"GIT_PYTHON_GIT_EXECUTABLE": "git", "GIT_PYTHON_REFRESH": "quiet"}
_callers = {name: os.environ.get(name) for name in _PINNED}

os.environ.update(_PINNED)
try:
    from git import RemoteProgress
finally:
    # put back: programs that this one starts are to see what its caller has set
    for _name, _value in _callers.items():
        if _value is None:
            del os.environ[_name]
        else:
            os.environ[_name] = _value

__all__ = ["RemoteProgress"]
