"""Whether a release is made of the miniature, wherever its source lies.

A clone of the miniature is as small as it, needs zig and no Mac, and has none of TensorFlow's files
that a build is held against. Its address does not tell that, but its files do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import MacosBuildError
from tensorflow_macos_build.git import revisions

if TYPE_CHECKING:
    from tensorflow_macos_build.pipeline.workspace import Workspace

_MARK = "third_party/zig/zig_configure.bzl"
"""What brings the miniature's compiler; TensorFlow has no such file."""


def is_source_of(workspace: Workspace) -> bool:
    """Return whether a release's upstream is the miniature, a clone of it, or a fork.

    Nothing is fetched: of what is not here yet the answer is no.
    """
    upstream = workspace.release.upstream
    if upstream.is_embedded:
        return True
    from tensorflow_macos_build.upstream import mirror  # noqa: PLC0415 - what talks to servers

    try:
        here = mirror.peek(upstream.url, workspace.mirrors, upstream.ref)
        return here is not None and revisions.find(here[0], f"{here[1]}:{_MARK}") is not None
    except MacosBuildError:  # it is no repository; whoever opens it says so
        return False


def dependency_groups_of(workspace: Workspace) -> tuple[str, ...]:
    """Return what a build needs beyond the package's own: zig compiles the miniature."""
    return ("demo",) if is_source_of(workspace) else ()
