"""A plain folder as the destination: OUT/TAG appears whole, or not at all."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tensorflow_macos_build import files, locks
from tensorflow_macos_build.release import prepared
from tensorflow_macos_build.release.publishing.plan import Present, PresentFile, Published, actions

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.release.prepared import PreparedFolder


def look(out: Path, release: PreparedFolder) -> Present:
    """Return what the folder has under the tag."""
    there = out / release.manifest.tag
    if not there.is_dir():
        return Present()
    return Present(
        published=Published(
            tuple(
                PresentFile(path.name, path.name, path.stat().st_size, files.sha256(path))
                for path in sorted(there.iterdir())
            ),
            url=str(there),
        )
    )


def publish(release: PreparedFolder, out: Path) -> bool:
    """Copy a release into the folder `out`; return whether there was anything to do.

    Raises:
        PublishedOtherwise: another release is there under this tag.
        ReleaseBroken: what was copied is not what was to be.
    """
    out.mkdir(parents=True, exist_ok=True)
    with locks.held(out):
        if not actions(release, look(out, release)):
            return False
        with files.atomic_folder(out / release.manifest.tag) as folder:
            for file in release.files:
                shutil.copyfile(file.path, folder / file.name)
            prepared.read(folder)  # before anybody can see it
    return True
