"""CHANGELOG.md, and the fragments in docs/changes from which its next section is made.

A change that a user can notice brings a fragment: a Markdown file of one to three lines in a
user's words. So changes that land side by side never meet in one file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError

FRAGMENTS = Path("docs/changes")
CHANGELOG = Path("CHANGELOG.md")

_MOST_LINES = 3
_LARGEST = 1 << 20
"""Bytes of a fragment that are read."""

_UNRELEASED = "<!-- `scripts/inv changelog` puts the next release's section below this line. -->\n"


@dataclass(frozen=True)
class Fragment:
    """One change in a user's words.

    Attributes:
        path: its file.
        lines: one to three lines of Markdown, without line ends.
    """

    path: Path
    lines: tuple[str, ...]

    def bullet(self) -> str:
        """Return the fragment as an item of a Markdown list."""
        return "- " + "\n  ".join(self.lines) + "\n"


def load(root: Path) -> tuple[Fragment, ...]:
    """Read the fragments of the checkout `root`, sorted by name.

    Raises:
        UsageError: a file there is not a fragment.
    """
    # All files, not `*.md` alone: a misnamed fragment is refused, and does not get lost.
    paths = sorted((root / FRAGMENTS).glob("*")) if (root / FRAGMENTS).is_dir() else []
    return tuple(_read(path, str(path.relative_to(root))) for path in paths)


def section(version: str, fragments: tuple[Fragment, ...]) -> str:
    """Return the changelog's section on what `version` brings, as Markdown."""
    return f"## {version}\n\n" + "".join(fragment.bullet() for fragment in fragments)


def release(root: Path, version: str) -> str:
    """Move the fragments of the checkout `root` into CHANGELOG.md, and return the new section.

    Raises:
        UsageError: there are no fragments, or CHANGELOG.md has lost the line that says where.
    """
    fragments = load(root)
    if not fragments:
        raise UsageError("there is no change to tell of", where=str(FRAGMENTS))
    added = section(version, fragments)
    before, line, after = (root / CHANGELOG).read_text(encoding="utf-8").partition(_UNRELEASED)
    if not line:
        hint = f"put this line under its title: {_UNRELEASED.rstrip()}"
        raise UsageError(
            "it does not say where a new section goes", where="CHANGELOG.md", hint=hint
        )
    text = f"{before}{line}\n{added}{after}"
    # In this order: a kill between leaves a fragment told twice, which a person sees, not lost.
    files.write_text(root / CHANGELOG, text)
    for fragment in fragments:
        fragment.path.unlink()
    return added


def _read(path: Path, shown: str) -> Fragment:
    if path.suffix != ".md":
        raise UsageError("a fragment is a Markdown file", where=shown, hint="name it <what>.md")
    lines = tuple(files.read_small_text(path, _LARGEST, where=shown).splitlines())
    is_short = 1 <= len(lines) <= _MOST_LINES and all(line.strip() for line in lines)
    if not is_short or lines[0].startswith(("#", "-", "*")):
        raise UsageError(
            f"a fragment is one to {_MOST_LINES} lines of plain text",
            where=shown,
            hint="say in a user's words what is new; no heading, no list, no empty line",
        )
    return Fragment(path, lines)
