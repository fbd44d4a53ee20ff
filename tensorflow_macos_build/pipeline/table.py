"""The one module that knows the order of a build's stages.

It is the order in which they are done and shown: each stands behind those that it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline.stages import (
    build,
    describe,
    join,
    plugin_wheels,
    plugins,
    prove,
    publish,
    verify,
)
from tensorflow_macos_build.pipeline.stages.patch import PATCH
from tensorflow_macos_build.pipeline.stages.source import SOURCE

if TYPE_CHECKING:
    from tensorflow_macos_build.config import Release
    from tensorflow_macos_build.pipeline.stage import Stage

    Table = tuple[Stage[Any, Any], ...]

_BUILDS: dict[str, Stage[Any, Any]] = {
    "arm64": build.ARM64,
    "x86_64": build.X86_64,
    "host": build.FOR_HOST,
}


def stages_for(release: Release, architecture: str | None = None) -> Table:
    """Return the stages of a release's build in order; of one architecture, up to its thin wheel.

    Raises:
        UsageError: there is no such architecture.
    """
    if architecture is not None:
        if architecture not in _BUILDS:
            hint = f"there are: {', '.join(_BUILDS)}"
            raise UsageError(f"there is no architecture `{architecture}`", hint=hint)
        return (SOURCE, PATCH, _BUILDS[architecture])
    thin = (build.ARM64, build.X86_64)
    # Variants, for needs are fixed: of what a release has not asked for there is no stage.
    fetched = (plugins.FETCH,) if plugins.pins(release, source=False) else ()
    verified = verify.VERIFY_WITH_PLUGINS if fetched else verify.VERIFY
    joined = (join.FUSE, join.RELOCATE, describe.SBOM, *fetched, verified)
    host = (build.FOR_HOST,) if release.host_build else ()
    smoked = prove.SMOKE_WITH_HOST if host else prove.SMOKE
    built = (plugin_wheels.BUILD,) if plugins.pins(release, source=True) else ()
    dist = publish.stage(smoked, *host, *built)
    return (SOURCE, PATCH, *thin, *host, *joined, smoked, *built, dist)
