"""Modules of the environment that are imported at first use.

The checks are listed by Pythons that have neither NumPy nor TensorFlow.
"""

import importlib
from typing import Any


class LazyModule:
    """A module that is imported when an attribute of it is asked for first."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(importlib.import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value


np: Any = LazyModule("numpy")
