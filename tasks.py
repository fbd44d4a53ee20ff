"""The invoke namespace: `scripts/inv --list` shows it."""

from tensorflow_macos_build.tasks import namespace

__all__ = ["namespace"]
