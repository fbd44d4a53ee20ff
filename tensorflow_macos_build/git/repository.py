"""git, asked through its plumbing, with everything pinned that a user's settings could change.

Neither the system's nor the user's configuration is read, no attributes file outside the repository
counts, no replacement objects, no pager, no prompt. Of the caller's `GIT_*` variables only those
count that say how a server is reached (`_ALLOWED`). What is left is the repository's own
configuration; the few keys of it that matter to plumbing are overridden in `_OVERRIDES`.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import process
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.git import object_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_PINNED: dict[str, str | None] = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "true",
    "GIT_OPTIONAL_LOCKS": "0",
}

_ALLOWED = re.compile(
    r"GIT_(ASKPASS|SSH|SSH_COMMAND|SSH_VARIANT|PROXY_COMMAND"
    r"|HTTP_[A-Z_]+|SSL_[A-Z_]+|PROXY_SSL_[A-Z_]+)"
)
"""The caller's variables that every git gets: they decide how a server is reached, no result."""

_TRACE = re.compile(
    r"GIT_TRACE(2|2_EVENT|2_PERF|_CURL|_FSMONITOR|_PACKET|_PACKFILE|_PACK_ACCESS|_PERFORMANCE"
    r"|_REFS|_SETUP|_SHALLOW)?"
)
"""Variables that make git write a log. One to a file is the user's own business; one to a
descriptor (`1`, `2`, `true`) would end up in what is read from git here (git(1), GIT_TRACE)."""

_OF_CONFIG = re.compile(r"GIT_CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|PARAMETERS|(KEY|VALUE)_[0-9]+)")
"""Variables that say where git's configuration is, or hold some of it (git-config(1))."""

_NETWORK_KEYS = re.compile(
    r"core\.(askpass|gitproxy|sshcommand)|ssh\.variant|(credential|http)\..*|url\..*\.insteadof",
    re.DOTALL,
)
"""Keys of the user's configuration that say how a server is reached, as git lists them."""

_NEVER_LAZY: dict[str, str | None] = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}
"""Keeps git from asking a server for what it finds missing, object by object and without patience.

GIT_NO_LAZY_FETCH came with 2.39.4 and 2.44; before, no transport is allowed to the fetch."""

_DIED = 128
"""The exit status of git's die(), with which it also says that an object is missing."""

_FETCHING: dict[str, str | None] = {
    "GIT_NO_LAZY_FETCH": None,
    "GIT_ALLOW_PROTOCOL": "git:http:https:ssh",  # `ext::` runs any program (git-remote-ext(1))
}

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


class ObjectMissing(WorkFailed):
    """A repository lacks an object that its history names."""

    def __init__(self, oid: str, git: Git, said: bytes = b"") -> None:
        source = git.object_source()
        fetch = shlex.join(["git", "-C", str(source), "fetch", "--refetch"])
        super().__init__(
            f"the object {oid} is missing in the repository",
            where=str(source),
            hint=f"`{fetch}` brings it; a partial clone needs its server",
            detail=said.decode("utf-8", "replace"),
        )


@dataclass(frozen=True)
class Git:
    """One repository, and how git is asked about it.

    Attributes:
        git_dir: the repository's own folder (`.git`, or the folder of a bare repository).
        work_tree: the folder that holds its checked-out files, where there is one.
        env: further changes to the environment of every call, such as a quarantine
            (`GIT_OBJECT_DIRECTORY`) or the identity of a committer.
        behind: the repository whose objects it borrows; it knows where missing ones are.
    """

    git_dir: Path
    work_tree: Path | None = None
    env: Mapping[str, str | None] = field(default_factory=dict)
    behind: Git | None = None

    def argv(self, *args: str | Path) -> list[str | Path]:
        """Return the whole command line of `git ARGS` for this repository."""
        overrides = [word for key, value in _OVERRIDES.items() for word in ("-c", f"{key}={value}")]
        place: list[str | Path] = ["--git-dir", self.git_dir]
        if self.work_tree is not None:
            place += ["--work-tree", self.work_tree]
        return ["git", *overrides, *place, *args]

    def environment(self) -> dict[str, str | None]:
        """Return the changes to the environment that calls of this repository get."""
        return {**pinned(), **(_NEVER_LAZY if self.server else {}), **self.env}

    @property
    def server(self) -> str:
        """The address of the server that has what file contents are missing; "" for none."""
        return self.behind.server if self.behind else ""

    def bring(self, ids: Iterable[str]) -> None:
        """Make file contents present, all that only the server has in one request.

        Raises:
            transfer.Unreachable: the server could not be asked, or has not got them.
        """
        if self.behind is not None and self.server:
            self.behind.bring(self._missing(sorted(set(ids))))

    def _missing(self, ids: Sequence[str]) -> list[str]:
        asked = "".join(f"{oid}\n" for oid in ids).encode()
        answers = self.out("cat-file", "--batch-check=%(objecttype)", stdin=asked).splitlines()
        return [
            oid for oid, answer in zip(ids, answers, strict=True) if answer.endswith(b" missing")
        ]

    def fetching_environment(self) -> dict[str, str | None]:
        """Return the changes to the environment of calls that talk to a server.

        Proxies, credentials, keys and `url.*.insteadOf` are those of the user's configuration.
        They are handed over one by one, so that no other setting of it decides what is fetched.

        Raises:
            UsageError: git cannot read that configuration.
        """
        settings = self._network_settings()
        variables: dict[str, str | None] = {"GIT_CONFIG_COUNT": str(len(settings))}
        for number, (key, value) in enumerate(settings):
            variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return {**self.environment(), **variables, **_FETCHING}

    def _network_settings(self) -> list[tuple[str, str]]:
        listed = process.run(
            self.argv("config", "--list", "--null", "--includes"),
            env={**self.environment(), **_users_configuration()},
            expected=(),
        )
        if listed.status != 0:
            raise UsageError(
                "git cannot read its configuration",
                detail=listed.stderr.decode("utf-8", "replace"),
                hint="`git config --list` shows the same; mend the file or the GIT_CONFIG_* "
                "variable that it names",
            )
        records = listed.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]
        # a key without a value (`[http] sslVerify`) is listed without a line end, and means true
        pairs = [(key, value if line else "true") for key, line, value in map(_parted, records)]
        return [(key, value) for key, value in pairs if _NETWORK_KEYS.fullmatch(key)]

    def run(
        self, *args: str | Path, stdin: bytes = b"", expected: Sequence[int] = (0,)
    ) -> process.Completed:
        """Run `git ARGS` to its end.

        Raises:
            ObjectMissing: it could not read an object that the history names.
            process.ProgramFailed: its exit status is not among `expected` for another reason.
        """
        done = self._run(self.argv(*args), self.environment(), stdin)
        if done.status == _DIED and self.behind is not None and self.server:
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
        facts = {"promisor": "true", "url": self.server, "partialCloneFilter": "blob:none"}
        config = (("-c", f"remote.origin.{key}={value}") for key, value in facts.items())
        return self.argv(*(word for words in config for word in words), *args)

    def failure(self, done: process.Completed) -> WorkFailed:
        """Return why git failed: an object that is missing, where it names one, or what it said.

        git's words are not read, only the ids in them: each is looked for, without a server.
        """
        for oid in object_ids.in_text(done.stderr):
            argv = self.argv("cat-file", "-e", oid)
            offline = {**self.environment(), **_NEVER_LAZY}
            if process.run(argv, env=offline, expected=()).status != 0:
                return ObjectMissing(oid, self, done.stderr)
        return process.ProgramFailed(done)

    def object_source(self) -> Path:
        """Return the repository that this one takes its objects from in the end; often itself.

        `objects/info/alternates` names the next one's objects (gitrepository-layout(5)).
        """
        objects, seen = self.git_dir / "objects", set[Path]()
        while objects not in seen and (named := objects / "info" / "alternates").is_file():
            seen.add(objects)
            objects = objects / os.fsdecode(named.read_bytes().partition(b"\n")[0])
        return objects.parent

    def out(self, *args: str | Path, stdin: bytes = b"") -> bytes:
        """Run `git ARGS` and give what it wrote to standard output, as bytes."""
        return self.run(*args, stdin=stdin).stdout

    def line(self, *args: str | Path, stdin: bytes = b"") -> str:
        """Run `git ARGS` and give the one line that it printed, without its end."""
        return self.out(*args, stdin=stdin).decode("utf-8", "surrogateescape").rstrip("\n")

    def init(self, *, bare: bool = True) -> None:
        """Make an empty repository (SHA-1 objects, branch `main`, no templates)."""
        flags = ["--bare"] if bare else []
        form = ("--object-format=sha1", "--initial-branch=main")
        self.run("init", "--quiet", "--template=", *form, *flags)


def pinned() -> dict[str, str | None]:
    """Return the changes to the environment that every git process gets (git(1), ENVIRONMENT)."""
    dropped = {name: None for name, value in os.environ.items() if not _is_let_through(name, value)}
    return {**dropped, **_PINNED}


def discover(folder: Path) -> Git | None:
    """Return the repository that a folder belongs to; None where there is none.

    The user's `safe.directory` decides whether it may be another user's (git-config(1)).
    """
    argv: list[str | Path] = ["git", "-C", folder, "rev-parse", "--absolute-git-dir"]
    for env in (pinned(), {**pinned(), **_users_configuration()}):
        asked = process.run(argv, env=env, expected=())
        if asked.status == 0:
            return Git(Path(os.fsdecode(asked.stdout).rstrip("\n")))
    return None


def _users_configuration() -> dict[str, str | None]:
    """Return the changes to a pinned environment that let git see the user's configuration."""
    users = {name: value for name, value in os.environ.items() if _OF_CONFIG.fullmatch(name)}
    return {"GIT_CONFIG_NOSYSTEM": None, "GIT_CONFIG_GLOBAL": None, **users}


def _is_let_through(name: str, value: str) -> bool:
    if _TRACE.fullmatch(name):
        return value.startswith("/")
    return not name.startswith("GIT_") or _ALLOWED.fullmatch(name) is not None


def _parted(record: str) -> tuple[str, str, str]:
    return record.partition("\n")
