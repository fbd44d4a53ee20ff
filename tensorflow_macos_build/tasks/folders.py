"""The checkout's folders that tasks use where no flag names another."""

from __future__ import annotations

from tensorflow_macos_build import checkout

DIST = str(checkout.path("dist"))
"""What is finished."""

WHEELHOUSE = str(checkout.path("dist/wheelhouse"))

MIRRORS = str(checkout.path("build/mirrors"))
"""Mirrors of upstream repositories."""

WHEELS = str(checkout.path("build/wheelhouse"))
"""What wheelhouses have fetched and fused."""
