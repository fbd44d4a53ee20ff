"""A real TensorFlow, installed from the index once for all runs of the tests on a machine."""

from __future__ import annotations

import functools
import shutil
import sys
from typing import TYPE_CHECKING

from tensorflow_macos_build.smoke import EnvironmentRequest, SmokeTarget
from tensorflow_macos_build.smoke.environment import keep
from tensorflow_macos_build.smoke.interpreters import interpreter
from tests.programs import ENVIRONMENTS

if TYPE_CHECKING:
    from pathlib import Path

RELEASE = "2.16.2"
"""The first with Keras 3, for Python 3.9 to 3.12, with all of the symbols that plugins need."""

PYTHON = "3.11"

REQUIREMENT = EnvironmentRequest(requirement=f"tensorflow-cpu=={RELEASE}")


@functools.cache
def python() -> Path:
    """Return the interpreter of the environment; nobody changes what is installed there.

    It is named by what is installed, so that another release, pin or Python makes another one, and
    the old one goes. Workers of pytest-xdist wait for each other.
    """
    own = sys.version_info[:2]
    named = "" if (3, 10) <= own <= (3, 12) else PYTHON
    store = ENVIRONMENTS / f"tensorflow-{RELEASE}"
    located = keep(REQUIREMENT, SmokeTarget("host"), interpreter(named), store)
    home = located.parents[2]
    for other in store.iterdir():
        if other.is_dir() and other != home:
            shutil.rmtree(other, ignore_errors=True)
    return located
