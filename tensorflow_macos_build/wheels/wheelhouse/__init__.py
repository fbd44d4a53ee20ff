"""A folder of wheels that installs a requirement on Intel Macs and on Apple silicon alike."""

from tensorflow_macos_build.wheels.wheelhouse.build import (
    How,
    Wheelhouse,
    WheelhouseEntry,
    WheelhouseOptions,
    build,
)

__all__ = ["How", "Wheelhouse", "WheelhouseEntry", "WheelhouseOptions", "build"]
