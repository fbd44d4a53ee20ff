"""A repository, and how git is asked about it: `git ARGS` with a pinned environment, no shell."""

from __future__ import annotations

import contextlib
import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tensorflow_macos_build import process
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.git import alternates, environment, object_ids
from tensorflow_macos_build.git.running import Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tensorflow_macos_build.git.running import RunningGits

_Read = TypeVar("_Read")

_DIED = 128
"""The exit status of git's die(), with which it also says that an object is missing."""


class ObjectMissing(WorkFailed):
    """A repository lacks an object that its history names."""

    def __init__(self, oid: str, git: Git, messages: bytes = b"") -> None:
        source = alternates.source(git.git_dir)
        fetch = shlex.join(["git", "-C", str(source), "fetch", "--refetch"])
        super().__init__(
            f"the object {oid} is missing in the repository",
            where=str(source),
            hint=f"`{fetch}` brings it; a partial clone needs its server",
            detail=messages.decode("utf-8", "replace"),
        )


@dataclass(frozen=True)
class Git:
    """One repository, and how git is asked about it.

    Attributes:
        git_dir: the repository's own folder (`.git`, or the folder of a bare repository).
        work_tree: the folder that holds its checked-out files, where there is one.
        env: further changes to the environment of every call, such as a quarantine
            (`GIT_OBJECT_DIRECTORY`) or the identity of a committer.
        borrows_from: the repository whose objects it borrows; it knows where missing ones are.
        running: the programs that go on running for it, where there are any.
        publish: writes out the objects that git may have to see.
    """

    git_dir: Path
    work_tree: Path | None = None
    env: Mapping[str, str | None] = field(default_factory=dict)
    borrows_from: Git | None = None
    running: RunningGits | None = field(default=None, compare=False)
    publish: Callable[[], object] | None = field(default=None, compare=False)

    def argv(self, *args: str | Path) -> list[str | Path]:
        """Return the whole command line of `git ARGS` for this repository.

        It is for a program that is to run now: what that may have to see is written out first.
        """
        if self.publish is not None:
            self.publish()
        # Stated, so that git neither looks for a repository above the current folder nor asks
        # safe.directory who owns it (setup_explicit_git_dir in setup.c).
        folders: list[str | Path] = ["--git-dir", self.git_dir]
        if self.work_tree is not None:
            folders += ["--work-tree", self.work_tree]
        return ["git", *environment.OVERRIDES, *folders, *args]

    def environment(self) -> dict[str, str | None]:
        """Return the changes to the environment that calls of this repository get."""
        return {**environment.pinned(), **(environment.OFFLINE if self.server else {}), **self.env}

    @property
    def server(self) -> str:
        """The address of the server that has what file contents are missing; "" for none."""
        return self.borrows_from.server if self.borrows_from else ""

    def bring(self, ids: Iterable[str]) -> None:
        """Make file contents present, all that only the server has in one request.

        Raises:
            transfer.Unreachable: the server could not be asked, or has not got them.
        """
        if self.borrows_from is not None and self.server:
            self.borrows_from.bring(self.missing(sorted(set(ids))))

    def missing(self, ids: Sequence[str]) -> list[str]:
        """Return which objects are not in the repository; no server is asked for them."""
        # One process for all ids; it is offline here (`environment`), or it would fetch each.
        stdin = "".join(f"{oid}\n" for oid in ids).encode()
        answers = self.out("cat-file", "--batch-check=%(objecttype)", stdin=stdin).splitlines()
        return [
            oid for oid, answer in zip(ids, answers, strict=True) if answer.endswith(b" missing")
        ]

    def fetching_environment(self) -> dict[str, str | None]:
        """Return the changes to the environment of calls that talk to a server.

        Raises:
            UsageError: git cannot read the user's configuration.
        """
        env = {**self.environment(), **environment.with_users_configuration()}
        listed = process.run(
            self.argv("config", "--list", "--null", "--includes"), env=env, expected=()
        )
        if listed.status != 0:
            raise UsageError(
                "git cannot read its configuration",
                detail=listed.stderr.decode("utf-8", "replace"),
                hint="`git config --list` shows the same; mend the file or the GIT_CONFIG_* "
                "variable that it names",
            )
        return {**self.environment(), **environment.fetching(listed.stdout)}

    def run(
        self, *args: str | Path, stdin: bytes = b"", expected: Sequence[int] = (0,)
    ) -> process.Completed:
        """Run `git ARGS` to its end.

        Raises:
            ObjectMissing: it could not read an object that the history names.
            process.ProgramFailed: its exit status is not among `expected` for another reason.
        """
        done = self._run(self.argv(*args), self.environment(), stdin)
        if done.status == _DIED and self.borrows_from is not None and self.server:
            # It may lack contents that nobody could foresee, such as those of a renamed file.
            done = self._run(self._lazily(*args), self.fetching_environment(), stdin)
        if expected and done.status not in expected:
            raise self.failure(done)
        return done

    def _run(
        self, argv: Sequence[str | Path], env: Mapping[str, str | None], stdin: bytes
    ) -> process.Completed:
        return process.run(argv, cwd=self.work_tree, env=env, stdin=stdin, expected=())

    def _lazily(self, *args: str | Path) -> list[str | Path]:
        """Return a command line that fetches what it finds missing, in one request if git can."""
        # such a remote is all that git needs to fetch what is missing (promisor-remote.c)
        facts = {"promisor": "true", "url": self.server, "partialCloneFilter": "blob:none"}
        config = (("-c", f"remote.origin.{key}={value}") for key, value in facts.items())
        return self.argv(*(word for words in config for word in words), *args)

    def failure(self, done: process.Completed) -> WorkFailed:
        """Return why git failed: an object that is missing, where it names one, or what it said.

        git's words are not read, only the ids in them: each is looked for, without a server.
        """
        for oid in object_ids.in_text(done.stderr):
            argv = self.argv("cat-file", "-e", oid)
            offline = {**self.environment(), **environment.OFFLINE}
            if process.run(argv, env=offline, expected=()).status != 0:
                return ObjectMissing(oid, self, done.stderr)
        return process.ProgramFailed(done)

    def objects_folder(self) -> Path:
        """Return the folder that its objects are in; that of a linked work tree is elsewhere."""
        own = self.environment().get("GIT_OBJECT_DIRECTORY")
        return Path(own or self._path("objects"))

    def shallow_file(self) -> Path:
        """Return the file that says where its history was cut off; it need not be there."""
        return Path(self._path("shallow"))

    def _path(self, name: str) -> str:
        folder = Path(self.work_tree or "", self.git_dir)
        # Where no other repository has its files, git looks into its own folder (get_common_dir in
        # setup.c), so it need not be asked. It follows a `.git` that is a file.
        if folder.is_dir() and not (folder / "commondir").exists():
            return str((folder / name).resolve())
        return self.line("rev-parse", "--path-format=absolute", "--git-path", name)

    def out(self, *args: str | Path, stdin: bytes = b"") -> bytes:
        """Run `git ARGS`, and return what it wrote to standard output."""
        return self.run(*args, stdin=stdin).stdout

    def diff_tree(self, *flags: str, lines: bytes, paths: Sequence[str] = ()) -> bytes:
        """Return what `git diff-tree --stdin` prints for lines of ids, of all paths or of some."""
        command = _diff_tree(flags, paths)
        # with paths it is asked once and not again
        if self.running is not None and not paths:
            argv, env = self.argv(*command), self.environment()
            # one that has ended lacked an object; asked alone, git says which, or fetches it
            with contextlib.suppress(Ended):
                return self.running.diff_tree(argv, self.work_tree, env, lines)
        return self.out(*command, stdin=lines)

    def ask_diff_tree(
        self, *flags: str, lines: bytes, read: Callable[[bytes], _Read]
    ) -> Callable[[], _Read]:
        """Ask what `diff_tree` does, and return what gives what is read in the answer.

        git is at work meanwhile, and a thread reads.
        """
        if self.running is None:
            return lambda: read(self.diff_tree(*flags, lines=lines))
        argv, env = self.argv(*_diff_tree(flags)), self.environment()
        asked = self.running.beside(argv, self.work_tree, env, lines, read)

        def answer() -> _Read:
            with contextlib.suppress(Ended):
                return asked.result()
            return read(self.out(*_diff_tree(flags), stdin=lines))

        return answer

    def line(self, *args: str | Path, stdin: bytes = b"") -> str:
        """Run `git ARGS`, and return the one line that it printed, without its end."""
        return self.out(*args, stdin=stdin).decode("utf-8", "surrogateescape").rstrip("\n")

    def init(self, *, bare: bool = True) -> None:
        """Make an empty repository (SHA-1 objects, branch `main`, no templates)."""
        flags = ["--bare"] if bare else []
        form = ("--object-format=sha1", "--initial-branch=main")
        self.run("init", "--quiet", "--template=", *form, *flags)


def _diff_tree(flags: Sequence[str], paths: Sequence[str] = ()) -> tuple[str, ...]:
    return ("--literal-pathspecs", "diff-tree", "--stdin", *flags, "--", *paths)


def discover(folder: Path) -> Git | None:
    """Return the repository that a folder belongs to; None where there is none.

    The user's `safe.directory` decides whether it may be another user's (git-config(1)).
    """
    pinned = environment.pinned()
    argv: list[str | Path] = ["git", "-C", folder, "rev-parse", "--absolute-git-dir"]
    # without that configuration first: one that git cannot read is no reason to find nothing
    for env in (pinned, {**pinned, **environment.with_users_configuration()}):
        answer = process.run(argv, env=env, expected=())
        if answer.status == 0:
            return Git(Path(os.fsdecode(answer.stdout).rstrip("\n")))
    return None
