"""The SHA-256 of a release's files: each is read for it once, however often it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build import files

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class FolderDigests:
    """The digests of a folder's files, which nobody changes meanwhile."""

    folder: Path
    _known: dict[str, str] = field(default_factory=dict)

    def of(self, name: str) -> str:
        """Return a file's SHA-256 by its name; "" where there is no file, but perhaps a link."""
        if name not in self._known:
            path = self.folder / name
            is_file = path.is_file() and not path.is_symlink()
            self._known[name] = files.sha256(path) if is_file else ""
        return self._known[name]
