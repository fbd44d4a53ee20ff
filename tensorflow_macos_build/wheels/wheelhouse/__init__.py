"""A folder of wheels that installs a requirement on Intel Macs and on Apple silicon alike."""

from tensorflow_macos_build.wheels.wheelhouse.build import build
from tensorflow_macos_build.wheels.wheelhouse.model import (
    EntryKind,
    Wheelhouse,
    WheelhouseEntry,
    WheelhouseOptions,
    WheelhouseRequest,
)

__all__ = [
    "EntryKind",
    "Wheelhouse",
    "WheelhouseEntry",
    "WheelhouseOptions",
    "WheelhouseRequest",
    "build",
]
