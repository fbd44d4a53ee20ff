"""A real TensorFlow, installed from the index once for all runs of the tests on a machine."""

from __future__ import annotations

import functools
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

PROJECT = "tensorflow" if sys.platform == "darwin" else "tensorflow-cpu"

REQUIREMENT = EnvironmentRequest(requirement=f"{PROJECT}=={RELEASE}")


@functools.cache
def python() -> Path:
    """Return the interpreter of the environment; nobody changes what is installed there.

    It is named by what is installed, and made once: workers of pytest-xdist and other checkouts
    wait for each other.
    """
    is_supported = (3, 10) <= sys.version_info[:2] <= (3, 12)
    own = interpreter("" if is_supported else PYTHON)
    return keep(REQUIREMENT, SmokeTarget("host"), own, ENVIRONMENTS)
