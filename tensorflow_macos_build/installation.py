"""This program in a user's own folders: a link on PATH, and what shells read to complete words.

Nothing is written that is not there as it should be, nothing of others is replaced, and what is
taken away is only what this checkout has put there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_MARK = b"# Completion of scripts/inv for "
"""What every version of a completion script says of itself."""


class PlaceState(Enum):
    """What stands where something is to be installed."""

    MISSING = "missing"
    INSTALLED = "installed"
    OUTDATED = "outdated"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class Placement:
    """A file or a link to be installed.

    Attributes:
        path: where.
        text: the file's content, or "".
        target: what the link leads to; None: it is a file.
    """

    path: Path
    text: str = ""
    target: Path | None = None

    @property
    def state(self) -> PlaceState:
        """What stands there now."""
        if not os.path.lexists(self.path):
            return PlaceState.MISSING
        if self.target is not None:
            is_ours = self.path.is_symlink() and self.path.resolve() == self.target.resolve()
            return PlaceState.INSTALLED if is_ours else PlaceState.FOREIGN
        if self.path.is_symlink() or not self.path.is_file():
            return PlaceState.FOREIGN
        content = self.path.read_bytes()
        if content == self.text.encode():
            return PlaceState.INSTALLED
        return PlaceState.OUTDATED if _MARK in content else PlaceState.FOREIGN

    @property
    def described(self) -> str:
        """The path, and of a link what it leads to."""
        return f"{self.path} -> {self.target}" if self.target is not None else str(self.path)


def placements(
    script: Path, completions: Mapping[str, str], variables: Mapping[str, str]
) -> tuple[Placement, ...]:
    """Return what is installed for a user.

    Args:
        script: scripts/inv of the checkout.
        completions: what each shell reads, by the shell's name.
        variables: the user's environment, for HOME and the folders of the XDG specification.

    Raises:
        UsageError: there is no home.
    """
    if not variables.get("HOME"):
        raise UsageError("HOME is not set", hint="it says where your programs are installed")
    home = Path(variables["HOME"])
    data = Path(variables.get("XDG_DATA_HOME") or home / ".local/share")
    config = Path(variables.get("XDG_CONFIG_HOME") or home / ".config")
    folders = {
        # Where bash-completion 2, fish and a zsh that is told so look for a command's completion.
        "bash": data / "bash-completion/completions/inv",
        "fish": config / "fish/completions/inv.fish",
        "zsh": data / "zsh/site-functions/_inv",
    }
    files_for = (Placement(folders[shell], text) for shell, text in completions.items())
    return (Placement(home / ".local/bin/inv", target=script), *files_for)


def install(wanted: Iterable[Placement]) -> None:
    """Put in place what is missing or outdated.

    Raises:
        UsageError: something of somebody else's stands there; then nothing was done.
    """
    wanted = tuple(wanted)
    if foreign := [item for item in wanted if item.state is PlaceState.FOREIGN]:
        raise UsageError(
            "something else stands there, and is kept",
            where=str(foreign[0].path),
            hint=f"move it away first: mv {foreign[0].path} {foreign[0].path}.old",
        )
    for item in wanted:
        if item.state is not PlaceState.INSTALLED:
            item.path.parent.mkdir(parents=True, exist_ok=True)
            _put(item)


def _put(item: Placement) -> None:
    if item.target is None:
        files.write_text(item.path, item.text)
        return
    item.path.symlink_to(item.target)


def uninstall(wanted: Iterable[Placement]) -> None:
    """Take away what `install` has put in place, and nothing else."""
    for item in wanted:
        if item.state in (PlaceState.INSTALLED, PlaceState.OUTDATED):
            item.path.unlink()


def is_on_path(folder: Path, path: str) -> bool:
    """Whether programs in a folder are found by their bare names."""
    return folder in (Path(entry) for entry in path.split(os.pathsep))


def advice(wanted: Sequence[Placement], path: str) -> list[str]:
    """Return lines for a user's shell that make what is installed work, where they are needed."""
    link, *scripts = wanted
    lines = []
    if not is_on_path(link.path.parent, path):
        lines.append(f'export PATH="{link.path.parent}:$PATH"')
    lines += [f"fpath=({item.path.parent} $fpath)" for item in scripts if item.path.name == "_inv"]
    return lines
