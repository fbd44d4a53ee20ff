"""git, asked through its plumbing, with everything pinned that a user's configuration could change.

Neither the system's nor the user's configuration is read, no attributes file outside the repository
counts, no replacement objects, no pager, no prompt. What is left is the repository's own
configuration; the few keys of it that matter to plumbing are overridden in `_OVERRIDES`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build import process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ENVIRONMENT: dict[str, str | None] = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_COUNT": None,
    "GIT_CONFIG_PARAMETERS": None,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "true",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_DIR": None,
    "GIT_WORK_TREE": None,
    "GIT_INDEX_FILE": None,
    "GIT_OBJECT_DIRECTORY": None,
    "GIT_ALTERNATE_OBJECT_DIRECTORIES": None,
    "GIT_EXTERNAL_DIFF": None,
    "GIT_DIFF_OPTS": None,
}
"""Changes to the environment that every git process gets (git(1), ENVIRONMENT VARIABLES)."""

_OVERRIDES = {
    "core.attributesFile": os.devnull,
    "core.autocrlf": "false",
    "core.commentChar": "#",
    "core.eol": "lf",
    "core.excludesFile": os.devnull,
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.precomposeUnicode": "false",
    "core.quotePath": "true",
    "core.safecrlf": "false",
    "diff.suppressBlankEmpty": "false",
    "gc.auto": "0",
    "i18n.commitEncoding": "UTF-8",
    "i18n.logOutputEncoding": "UTF-8",
    "maintenance.auto": "false",
}


@dataclass(frozen=True)
class Git:
    """One repository, and how git is asked about it.

    Attributes:
        git_dir: the repository's own folder (`.git`, or the folder of a bare repository).
        work_tree: the folder that holds its checked-out files, where there is one.
        env: further changes to the environment of every call, such as a quarantine
            (`GIT_OBJECT_DIRECTORY`) or the identity of a committer.
    """

    git_dir: Path
    work_tree: Path | None = None
    env: Mapping[str, str | None] = field(default_factory=dict)

    def argv(self, *args: str | Path) -> list[str | Path]:
        """Give the whole command line of `git ARGS` for this repository."""
        overrides = [word for key, value in _OVERRIDES.items() for word in ("-c", f"{key}={value}")]
        place: list[str | Path] = ["--git-dir", self.git_dir]
        if self.work_tree is not None:
            place += ["--work-tree", self.work_tree]
        return ["git", *overrides, *place, *args]

    def environment(self) -> dict[str, str | None]:
        """Give the changes to the environment that calls of this repository get."""
        return {**ENVIRONMENT, **self.env}

    def run(
        self, *args: str | Path, stdin: bytes = b"", expected: Sequence[int] = (0,)
    ) -> process.Completed:
        """Run `git ARGS` to its end.

        Raises:
            process.ProgramFailed: its exit status is not among `expected`.
        """
        argv = self.argv(*args)
        return process.run(
            argv, cwd=self.work_tree, env=self.environment(), stdin=stdin, expected=expected
        )

    def out(self, *args: str | Path, stdin: bytes = b"") -> bytes:
        """Run `git ARGS` and give what it wrote to standard output, as bytes."""
        return self.run(*args, stdin=stdin).stdout

    def line(self, *args: str | Path, stdin: bytes = b"") -> str:
        """Run `git ARGS` and give the one line that it printed, without its end."""
        return self.out(*args, stdin=stdin).decode("utf-8", "surrogateescape").rstrip("\n")

    def init(self, *, bare: bool = True) -> None:
        """Make an empty repository (SHA-1 objects, branch `main`, no templates)."""
        flags = ["--bare"] if bare else []
        self.run("init", "--quiet", "--template=", "--initial-branch=main", *flags)
