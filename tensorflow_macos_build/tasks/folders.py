"""The checkout's folders that tasks use where no flag names another.

They are strings, since invoke turns a flag's value into the type of its default.
"""

from __future__ import annotations

from tensorflow_macos_build import checkout

DIST = str(checkout.path("dist"))
"""What is finished."""

INDEX = str(checkout.path("dist/index"))
"""The package index."""

SITE = str(checkout.path("dist/site"))
"""The static site."""

WHEELHOUSE = str(checkout.path("dist/wheelhouse"))

EDITS = str(checkout.path("build/edit"))
"""Changes of queues that wait for somebody, a folder a queue."""

REBASES = str(checkout.path("build/rebase"))
"""Work trees of rebases' conflicts, a folder a queue."""

MIRRORS = str(checkout.path("build/mirrors"))
"""Mirrors of upstream repositories."""

WHEELS = str(checkout.path("build/wheelhouse"))
"""What wheelhouses have fetched and fused."""

MATRIX = str(checkout.path("build/plugins"))
"""What the table of plugins has found of each wheel."""

RELEASES = str(checkout.path("dist/releases"))
"""Releases that are ready to be published, a folder a tag."""

BENCH = str(checkout.path("build/bench"))
"""What a benchmark has measured, and its report."""

ENVIRONMENTS = str(checkout.path("build/environments"))
"""Environments of wheels under test, which are made once."""
