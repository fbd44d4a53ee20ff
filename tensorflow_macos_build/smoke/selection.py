"""Which checks run: those of a set, or those that are named."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import process, temporary
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.smoke import backends
from tensorflow_macos_build.smoke.zygote import INSIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

QUICK, FULL, SOAK = "quick", "full", "soak"

INSTALL, IMPORT = "install", "import"
"""What comes before all checks, each of which needs them; named alone, nothing else runs."""

_MADE_OF = {INSTALL: (), IMPORT: (), backends.NAME: backends.SOURCES}
"""What stands in reports and is no check of `inside/`, with the checks that it needs."""


@dataclass(frozen=True)
class CheckDescription:
    """A check that there is.

    Attributes:
        name: what it is called.
        sets: those it belongs to: `quick`, `full`, `soak`.
        group: its subject.
        issue: the report of the failure that it tells; empty for none.
        virtual: whether a virtual GPU can be held to it.
        summary: what passes, in a sentence.
    """

    name: str
    sets: tuple[str, ...]
    group: str
    issue: str
    virtual: bool
    summary: str


def catalogue() -> tuple[CheckDescription, ...]:
    """Return all checks, in the order in which they run.

    They are listed by the program that runs them, in this interpreter and without TensorFlow.
    """
    with temporary.scratch("smoke") as folder:
        specification = folder / "list.json"
        specification.write_text(json.dumps({"mode": "list"}), encoding="utf-8")
        listed = process.run([sys.executable, "-I", "-B", INSIDE, specification])
    return tuple(
        CheckDescription(**{**check, "sets": tuple(check["sets"])})
        for check in json.loads(listed.stdout)
    )


def select(
    checks: Sequence[CheckDescription], *, named: Sequence[str] = (), check_set: str = FULL
) -> tuple[CheckDescription, ...]:
    """Return the checks of a set, or those whose name or group is named, in their order.

    `soak` has the full set in it. Of `install` and `import` alone it is none: they always run.

    Raises:
        UsageError: there is no such check or group.
    """
    known = {check.name for check in checks} | {check.group for check in checks} | {*_MADE_OF}
    for name in named:
        if name not in known:
            names = ", ".join(sorted(known))
            raise UsageError(f"there is no check or group `{name}`", hint=f"there are: {names}")
    if named:
        wanted = {*named, *(name for row in named for name in _MADE_OF.get(row, ()))}
        return tuple(check for check in checks if wanted & {check.name, check.group})
    sets = {FULL, SOAK} if check_set == SOAK else {check_set}
    return tuple(check for check in checks if sets & set(check.sets))
