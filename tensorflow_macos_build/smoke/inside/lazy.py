"""Modules of the environment that are imported at first use.

The checks are listed by Pythons that have neither NumPy nor TensorFlow.
"""

import importlib
from typing import Any

from .registry import NotApplicable


class LazyModule:
    """A module that is imported when an attribute of it is asked for first."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        try:
            module = importlib.import_module(self._name)
        except ModuleNotFoundError as error:
            if error.name != self._name:
                raise
            # TensorFlow cannot be imported without NumPy: this is a module that stands for it.
            raise NotApplicable("the environment has no {}".format(self._name)) from None
        value = getattr(module, attribute)
        setattr(self, attribute, value)
        return value


np: Any = LazyModule("numpy")
