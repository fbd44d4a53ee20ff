"""Law 7: whatever a user, a machine or a repository sets, the same commits give the same files."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from hypothesis import strategies as st

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.queue import commit_range, storage
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tests import chains
from tests.chains import Chain, Written
from tests.integration.patchqueue.test_rebase_session import Desk
from tests.settings import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = {
    "color.diff": "always",
    "color.ui": "always",
    "core.abbrev": "5",
    "core.attributesFile": "{attributes}",
    "core.autocrlf": "true",
    "core.bigFileThreshold": "10",
    "core.eol": "crlf",
    "core.fileMode": "false",
    "core.ignoreCase": "true",
    "core.pager": "false",
    "core.precomposeUnicode": "true",
    "core.quotePath": "false",
    "core.safecrlf": "true",
    "core.symlinks": "false",
    "core.whitespace": "trailing-space,cr-at-eol",
    "diff.algorithm": "patience",
    "diff.colorMoved": "zebra",
    "diff.context": "1",
    "diff.dirstat": "lines",
    "diff.external": "false",
    "diff.ignoreSubmodules": "all",
    "diff.indentHeuristic": "false",
    "diff.interHunkContext": "9",
    "diff.mnemonicPrefix": "true",
    "diff.noprefix": "true",
    "diff.odd.binary": "true",
    "diff.odd.textconv": "tr a-z A-Z <",
    "diff.odd.xfuncname": "^line.*$",
    "diff.orderFile": "{order}",
    "diff.relative": "true",
    "diff.renameLimit": "1",
    "diff.renames": "copies",
    "diff.statGraphWidth": "3",
    "diff.submodule": "log",
    "diff.suppressBlankEmpty": "true",
    "diff.wordRegex": ".",
    "diff.wsErrorHighlight": "all",
    "format.attach": "boundary",
    "format.cc": "x@x",
    "format.coverLetter": "true",
    "format.encodeEmailHeaders": "false",
    "format.from": "Somebody <x@x>",
    "format.headers": "X-Own: 1\n",
    "format.noprefix": "true",
    "format.notes": "true",
    "format.numbered": "true",
    "format.outputDirectory": "elsewhere",
    "format.pretty": "fuller",
    "format.signOff": "true",
    "format.signature": "mine",
    "format.subjectPrefix": "MINE",
    "format.suffix": ".txt",
    "format.thread": "true",
    "format.to": "x@x",
    "format.useAutoBase": "true",
    "i18n.commitEncoding": "ISO-8859-1",
    "i18n.logOutputEncoding": "UTF-16",
    "log.date": "relative",
    "log.follow": "true",
    "log.showSignature": "true",
    "user.name": "Somebody Else",
}
"""Every key of git-config(1) that format-patch, diff or the reading of commits looks at."""

EFFECTIVE = [
    *("core.quotePath", "diff.context", "diff.interHunkContext", "diff.noprefix"),
    *("diff.suppressBlankEmpty", "format.attach", "format.cc", "format.headers", "format.signOff"),
    *("format.thread", "format.to", "i18n.logOutputEncoding"),
]
"""Keys that do change what plain format-patch writes of `CHAIN`: the test would see them."""

LINES = [b"line %d\n" % number for number in range(30)]
NAME = "na\u00efve".encode()


def _edited(*places: int) -> tuple[str, bytes]:
    return "100644", b"".join(b"\n" if n in places else line for n, line in enumerate(LINES))


CHAIN = Chain(
    {
        NAME: _edited(4),
        b"text": _edited(),
        b"moved": _edited(9),
        b"crlf": ("100644", b"a\r\nb\r\n"),
    },
    (
        Written(
            {
                NAME: _edited(4, 5, 17),
                b"text": _edited(3, 10, 20),
                b"renamed": _edited(9),
                b"crlf": ("100644", b"a\r\nb\r\nc\r\n"),
                b"link": ("120000", b"text"),
                b".gitattributes": ("100644", b"* diff=odd -text\n*.x binary\ntext eol=crlf\n"),
            },
            "Caf\u00e9 [x] one\n\nWith a body.\n",
            ("Fr\u00e9d\u00e9ric", "f@x"),
            1600000000,
            "-0330",
        ),
        Written({NAME: _edited(1), b"text": _edited()}, "Two\n", ("B", "b@b"), 1600000001, "+0000"),
    ),
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    folder = tmp_path_factory.mktemp("settings")
    git, base, tip = chains.build(folder / "repository.git", CHAIN)
    (folder / "attributes").write_text("* diff=odd\n* -diff\n* binary\n")
    (folder / "order").write_text("text\nrenamed\n")
    return git.git_dir, base, tip


@pytest.fixture(scope="module")
def expected(
    repository: tuple[Path, str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    return _files(repository, tmp_path_factory.mktemp("plain"))


def _files(repository: tuple[Path, str, str], folder: Path) -> dict[str, bytes]:
    source, base, tip = repository
    git = commit_range.repository(source)
    commits = commit_range.read(git, base, tip)
    storage.save(folder / "q", QueueBase("embedded:", "v1", commits.base), commits.steps, git)
    return {path.name: path.read_bytes() for path in (folder / "q").iterdir()}


def _value(repository: tuple[Path, str, str], value: str) -> str:
    folder = repository[0].parent
    return value.format(attributes=folder / "attributes", order=folder / "order")


def _format_patch(
    repository: tuple[Path, str, str], settings: Mapping[str, str], out: Path
) -> bytes:
    source, base, tip = repository
    config = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    git = ["git", "--git-dir", str(source), *config]
    who = {"GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@c"}
    subprocess.run(
        [*git, "format-patch", "-q", "-o", str(out), f"{base}..{tip}"],
        check=True,
        capture_output=True,
        env={**os.environ, **who},
    )
    return b"".join(path.read_bytes() for path in sorted(out.iterdir()))


def test_the_settings_are_ones_that_change_what_git_writes(
    repository: tuple[Path, str, str], tmp_path: Path
) -> None:
    plain = _format_patch(repository, {}, tmp_path / "plain")
    changed = [
        key
        for key in EFFECTIVE
        if _format_patch(repository, {key: _value(repository, KEYS[key])}, tmp_path / key) != plain
    ]
    assert changed == EFFECTIVE


@pytest.mark.parametrize("location", ["repository", "home", "environment", "parameters"])
def test_no_configuration_changes_a_byte(
    location: str,
    repository: tuple[Path, str, str],
    expected: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = {key: _value(repository, value) for key, value in KEYS.items()}
    config = repository[0] / "config"
    before = config.read_bytes()
    match location:
        case "repository":
            _write_config(config, settings)
        case "home":
            monkeypatch.setenv("HOME", str(tmp_path))
            _write_config(tmp_path / ".gitconfig", settings)
        case "environment":
            monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(settings)))
            for number, (key, value) in enumerate(settings.items()):
                monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", key)
                monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
        case "parameters":
            joined = " ".join(f"'{key}={value}'" for key, value in settings.items())
            monkeypatch.setenv("GIT_CONFIG_PARAMETERS", joined)
    try:
        assert _files(repository, tmp_path) == expected
    finally:
        config.write_bytes(before)


def _write_config(path: Path, settings: Mapping[str, str]) -> None:
    for key, value in settings.items():
        subprocess.run(["git", "config", "--file", path, key, value], check=True)


def test_no_attribute_changes_a_byte(
    repository: tuple[Path, str, str],
    expected: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tree's own .gitattributes is in `CHAIN`; here are all others."""
    hostile = "* diff=odd -text\n* binary\n* -diff\n"
    source = repository[0]
    (source / "info").mkdir(exist_ok=True)
    (source / "info" / "attributes").write_text(hostile)
    (tmp_path / "git").mkdir()
    (tmp_path / "git" / "attributes").write_text(hostile)
    (tmp_path / ".gitattributes").write_text(hostile)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "--git-dir", source, "config", "core.bare", "false"], check=True)
    try:
        assert _files(repository, tmp_path / "out") == expected
    finally:
        (source / "info" / "attributes").unlink()
        subprocess.run(["git", "--git-dir", source, "config", "core.bare", "true"], check=True)


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE.UTF-8", "LANGUAGE": "de"},
        {"TZ": "Asia/Kathmandu"},
        {"COLUMNS": "5", "EMAIL": "x", "PAGER": "false", "EDITOR": "false", "TERM": "dumb"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_no_environment_changes_a_byte(
    variables: dict[str, str],
    repository: tuple[Path, str, str],
    expected: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    old = os.umask(0o077)
    try:
        assert _files(repository, tmp_path) == expected
    finally:
        os.umask(old)


HOSTILE = ("/nowhere/x", "", "1", "0", "false", "sha256", "2", "-", "x y")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk"))


def _shown(desk: Desk, folder: Path) -> dict[str, object]:
    """Return what a rebase that stops at a conflict shows: its result, its files, its commit."""
    copy = desk.copy(folder)
    progress = copy.session.start("v2.18.0")
    work = copy.work
    shown: dict[str, object] = {
        str(path.relative_to(work)): path.read_bytes()
        for path in work.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(work).parts
    }
    return {**shown, "result": progress.result, "paths": progress.paths}


def test_all_variables_of_git_are_seen() -> None:
    known = {"GIT_DIR", "GIT_DEFAULT_HASH", "GIT_COMMON_DIR", "GIT_SHALLOW_FILE", "GIT_CONFIG"}
    assert known < set(VARIABLES)
    assert len(VARIABLES) > 100


@pytest.mark.parametrize("value", HOSTILE)
def test_no_variable_of_git_changes_a_byte(
    value: str,
    repository: tuple[Path, str, str],
    expected: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, value)
    assert _files(repository, tmp_path) == expected


@pytest.fixture(scope="module")
def shown(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    return _shown(desk, tmp_path_factory.mktemp("shown") / "copy")


@hypothesis.settings(max_examples=6)
@hypothesis.given(st.dictionaries(st.sampled_from(VARIABLES), st.sampled_from(HOSTILE), min_size=9))
def test_no_variable_of_git_changes_what_a_rebase_shows(
    desk: Desk, shown: dict[str, object], variables: dict[str, str]
) -> None:
    always = {"GIT_DEFAULT_HASH": "sha256", "GIT_CONFIG": "own", "GIT_COMMON_DIR": "/nowhere"}
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.chdir(folder)
        for name, value in {**always, **variables}.items():
            patch.setenv(name, value)
        assert _shown(desk, Path(folder) / "copy") == shown
        assert [path.name for path in Path(folder).iterdir()] == ["copy"]


def test_a_log_that_git_is_asked_for_is_written_to_its_file_and_nowhere_else(
    repository: tuple[Path, str, str],
    expected: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("GIT_TRACE", "GIT_TRACE_SETUP", "GIT_TRACE2_EVENT"):
        monkeypatch.setenv(name, str(tmp_path / name))
    assert _files(repository, tmp_path) == expected
    assert "diff-tree" in (tmp_path / "GIT_TRACE").read_text()


def test_a_repository_of_another_user_is_read_where_the_user_says_so(
    repository: tuple[Path, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git-config(1), safe.directory: a container's checkout often belongs to somebody else."""
    git = shutil.which("git")
    strangers = tmp_path / "bin" / "git"
    strangers.parent.mkdir()
    strangers.write_text(f'#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec {git} "$@"\n')
    strangers.chmod(0o755)
    monkeypatch.setenv("PATH", f"{strangers.parent}:{os.environ['PATH']}")
    with pytest.raises(UsageError, match="no git repository"):
        commit_range.repository(repository[0])
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text("[safe]\n\tdirectory = *\n")
    folder, commit, *_ = repository
    assert commit_range.resolve(commit_range.repository(folder), commit) == commit
