"""The invoke namespace: `invoke --list` shows it."""

from tensorflow_macos_build.tasks import namespace

__all__ = ["namespace"]
