"""The invoke namespace: `scripts/inv --list` shows it."""

from tensorflow_macos_build.tasks.namespace import namespace

__all__ = ["namespace"]
