"""The Python of an arm: of the environment that it names, or of one that is made and kept."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import process
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.smoke import environment
from tensorflow_macos_build.smoke.environment import EnvironmentRequest
from tensorflow_macos_build.smoke.interpreters import interpreter
from tensorflow_macos_build.smoke.targets import SmokeTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.smoke.bench.arms import Arm


def arm_environments(store: Path) -> Callable[[Arm], Path]:
    """Return what finds an arm's Python; environments are kept in `store`, by what they hold."""

    def python_of(arm: Arm) -> Path:
        """Return the Python of an arm.

        Raises:
            UsageError: there is no Python for it.
            WorkFailed: the environment cannot be made.
        """
        if arm.interpreter is not None:
            return arm.interpreter
        request = requested(arm)
        base = interpreter(arm.python, arm.wheel.name if arm.wheel else "")
        try:
            return environment.keep(request, target(arm), base, store)
        except process.ProgramFailed as error:
            what = f"the arm `{arm.name}` could not be installed"
            raise WorkFailed(what, where=arm.source, detail=error.detail) from None

    return python_of


def requested(arm: Arm) -> EnvironmentRequest:
    """Return what the environment of an arm holds."""
    plugin = Path(arm.plugin) if arm.plugin else None
    if arm.wheel is not None:
        return EnvironmentRequest(wheel=arm.wheel, plugin=plugin)
    return EnvironmentRequest(requirement=arm.source, plugin=plugin)


def target(arm: Arm) -> SmokeTarget:
    """Return the processor that an arm's programs run as."""
    prefix = ("arch", f"-{arm.arch}") if arm.arch else ()
    return SmokeTarget(arm.arch or platform.machine(), prefix)
