"""The checks: how they are registered, and how they say what they saw.

A check is a function that takes a `Context` and returns its evidence, a JSON object. It raises
`CheckFailed` for what is wrong and `NotApplicable` for what this release or device does not have;
any other exception is a failure, too. Modules of checks import neither TensorFlow nor NumPy at
their top: they are listed where neither is installed.
"""

import importlib
from typing import Any, Callable, Dict, List, Tuple

MODULES = (
    "checks.basics",
    "checks.placement",
    "checks.kernels",
    "checks.ml_compute",
    "checks.latency",
    "checks.installed",
    "checks.operations",
    "checks.layers",
    "checks.recurrent",
    "checks.optimizers",
    "checks.shapes",
    "checks.training",
    "checks.randoms",
    "checks.data",
)
"""The modules that register checks; their checks run in this order."""

WHOLE = ("raw_ops", "function", "GradientTape")
"""What a whole TensorFlow has, and the miniature lacks."""


class CheckFailed(Exception):
    """What was seen is wrong; the keywords are evidence."""

    def __init__(self, message: str, **evidence: Any) -> None:
        super().__init__(message)
        self.evidence = evidence


class NotApplicable(Exception):
    """The check has no meaning here, for the reason given; the keywords are what it saw by then."""

    def __init__(self, message: str, **evidence: Any) -> None:
        super().__init__(message)
        self.evidence = evidence


class Check:
    """A registered check.

    Attributes:
        name: what it is called; unique.
        function: takes a `Context`, returns its evidence.
        sets: those it belongs to: `quick`, `full`, `soak`.
        group: what its subject is, such as `layers`; `--checks` takes it, too.
        issue: the report of the failure that it tells, such as `apple#195`; empty for none.
        needs: attributes of the module without which it does not apply, such as `keras.layers`.
        virtual: whether a virtual GPU can be held to it: to float32 alone, and to no times.
    """

    def __init__(
        self,
        name: str,
        function: "Callable[[Any], Dict[str, Any]]",
        *,
        sets: "Tuple[str, ...]",
        group: str,
        issue: str,
        needs: "Tuple[str, ...]",
        virtual: bool,
    ) -> None:
        self.name = name
        self.function = function
        self.sets = sets
        self.group = group
        self.issue = issue
        self.needs = needs
        self.virtual = virtual

    def described(self) -> "Dict[str, Any]":
        """Return what the parent knows of it."""
        return {
            "name": self.name,
            "sets": list(self.sets),
            "group": self.group,
            "issue": self.issue,
            "virtual": self.virtual,
            "summary": (self.function.__doc__ or "").strip().partition("\n")[0],
        }


_CHECKS = {}  # type: Dict[str, Check]


def check(
    name: str,
    *,
    sets: "Tuple[str, ...]" = ("quick", "full"),
    group: str = "",
    issue: str = "",
    needs: "Tuple[str, ...]" = WHOLE,
    virtual: bool = True,
) -> "Callable[[Callable[[Any], Dict[str, Any]]], Callable[[Any], Dict[str, Any]]]":
    """Register a function as a check; the arguments are the attributes of `Check`."""

    def register(function: "Callable[[Any], Dict[str, Any]]") -> "Callable[[Any], Dict[str, Any]]":
        if name in _CHECKS:
            raise ValueError("two checks are called {}".format(name))
        _CHECKS[name] = Check(
            name,
            function,
            sets=sets,
            group=group or name,
            issue=issue,
            needs=needs,
            virtual=virtual,
        )
        return function

    return register


def load_all() -> "List[Check]":
    """Return all checks, in the order in which they run."""
    for module in MODULES:
        importlib.import_module("." + module, __package__)
    return list(_CHECKS.values())
