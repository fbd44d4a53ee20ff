"""Where a build works: the folders of the project that belong to a release."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from tensorflow_macos_build.config import Loaded, Release


@dataclass(frozen=True)
class Workspace:
    """A release of a project, and where its parts lie.

    Attributes:
        loaded: the config.
        in_rounds: whether its state is carried from one machine to another; then the disk cache is
            the release's own, and not the config's.
    """

    loaded: Loaded
    in_rounds: bool = False

    @property
    def release(self) -> Release:
        """What is built."""
        return self.loaded.release

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.loaded.root

    @property
    def folder(self) -> Path:
        """Whatever this release's build makes, but for dist/."""
        return self.root / "build" / self.release.name

    @property
    def rounds(self) -> Path:
        """The saved states of a build in rounds, if no other folder is named."""
        return self.folder / "rounds"

    @property
    def mirrors(self) -> Path:
        """The mirrors of upstream repositories, shared by all releases."""
        return self.root / "build" / "mirrors"

    @property
    def dist(self) -> Path:
        """What is for users: the finished wheel and the documents on it."""
        return self.root / "dist" / self.release.name

    @property
    def dist_lock(self) -> Path:
        """Held by whoever writes into dist/, which all releases share."""
        return self.root / "build" / ".dist.lock"

    @property
    def queue(self) -> Path | None:
        """The folder of the release's patches."""
        return self.root / "patches" / self.release.queue if self.release.queue else None

    @property
    def bazel(self) -> Path:
        """Bazel's work tree and output base.

        Bazel does not work in paths with spaces (bazelbuild/bazel#374), and its server does not
        start in one with letters other than ASCII (4.2.3): then it is a folder of the user's cache
        that is named after the project's.
        """
        return _for_bazel(self.folder / "bazel", self.folder, self.release.name)

    @property
    def disk_cache(self) -> Path | None:
        """The disk cache that Bazel uses, if any; as `bazel`, not where Bazel cannot work."""
        if self.in_rounds:
            return self.bazel / "store"
        if self.release.cache.disk is None:
            return None
        folder = self.root / self.release.cache.disk
        return _for_bazel(folder, folder, "disk-cache")


def _for_bazel(folder: Path, of: Path, name: str) -> Path:
    """Return a folder if Bazel can work there, else one of the user's cache that stands for it."""
    if _suits_bazel(folder):
        return folder
    # Two checkouts on a machine may each have a release of this name.
    digest = hashlib.sha256(os.fsencode(of)).hexdigest()[:12]
    return _cache() / f"{name}-{digest}"


def _suits_bazel(path: Path) -> bool:
    text = os.fspath(path)
    return text.isascii() and not any(letter.isspace() for letter in text)


def _cache() -> Path:
    """Return a folder of this user where Bazel works, for what is made again when lost."""
    home = os.environ.get("HOME")
    cache = os.environ.get("XDG_CACHE_HOME") or (home and f"{home}/.cache")
    if cache and _suits_bazel(Path(cache)):
        return Path(cache) / "tensorflow-macos-build"
    # Anyone may write there, so what is there under that name may be anyone's.
    shared = Path("/var/tmp") / f"tensorflow-macos-build-{os.getuid()}"  # noqa: S108 (checked below)
    shared.mkdir(mode=0o700, exist_ok=True)
    if shared.is_symlink() or shared.stat().st_uid != os.getuid():
        raise UsageError("this folder belongs to someone else", where=str(shared))
    return shared
