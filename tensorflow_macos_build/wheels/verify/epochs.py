"""When dyld began to refuse what it once let pass: its rules count from an SDK's version on.

An image is judged by the SDK that it was linked against, so that old programs go on working under
new systems. Source: dyld-1378, mach_o/Policy.cpp (`enforce…`), and the same file of dyld-1284,
which came with macOS 15.4; mach_o/Platform.cpp for the versions.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.verify.findings import Finding, Severity

if TYPE_CHECKING:
    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.wheels.verify.findings import Code


class Epoch(Enum):
    """A release of macOS from whose SDK on a rule counts, by dyld's name for it."""

    FALL_2015 = (10, 11)
    FALL_2018 = (10, 14)
    FALL_2019 = (10, 15)
    FALL_2020 = (10, 16)  # what macOS 11 called itself to programs of older SDKs
    FALL_2021 = (12, 0)
    FALL_2024 = (15, 0)
    SPRING_2025 = (15, 4)
    # dyld takes the versions that were left out before 26 for 26 (`wasAlignedIn2025`).
    FALL_2025 = (16, 0)

    @property
    def version(self) -> str:
        """The version of its SDK as Apple calls it."""
        spoken = {Epoch.FALL_2020: "11.0", Epoch.FALL_2025: "26.0"}
        return spoken.get(self, ".".join(map(str, self.value)))


def dated(
    code: Code, message: str, image: Image, since: Epoch, *, warned: Epoch | None = None
) -> Finding:
    """Return the finding at the weight that the image's SDK gives it.

    Args:
        code: the code of what dyld refuses.
        message: the evidence.
        image: what is judged.
        since: dyld refuses images of this SDK and later ones: the code's own severity. Those of
            older SDKs load, so that it is a note.
        warned: an earlier SDK from which some dyld of the past refuses: a warning.
    """
    sdk = image.sdk[:2]
    if sdk >= since.value:
        return Finding(code, message)
    severity = Severity.WARNING if warned is not None and sdk >= warned.value else Severity.NOTE
    version = ".".join(map(str, sdk))
    when = f"linked against SDK {version}; dyld refuses it from {since.version} on"
    return Finding(code, f"{message} ({when})", weight=severity)
