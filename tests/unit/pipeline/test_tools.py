"""Tools are found, installed where that is free, and asked for elsewhere."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline import tools

if TYPE_CHECKING:
    from pathlib import Path

APT_GET = """\
#!/bin/sh
echo "apt-get $*" >>"$LOG"
case "$*" in
    *update*) : >"$LOG.lists" ;;
    *install*)
        [ -e "$LOG.lists" ] || exit 100
        printf '#!/bin/sh\\necho version: 0.9.0\\n' >"$BIN/shellcheck"
        chmod +x "$BIN/shellcheck" ;;
esac
"""


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH: what a machine has."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in ("chmod", "sh"):
        (folder / program).symlink_to(f"/bin/{program}")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("BIN", str(folder))
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    _nothing_off_path(monkeypatch)
    return folder


def _nothing_off_path(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = {name: replace(tool, folders=()) for name, tool in tools.TOOLS.items()}
    monkeypatch.setattr(tools, "TOOLS", bare)


def _answering(path: Path, answer: str) -> None:
    _program(path, f"#!/bin/sh\nprintf '%s\\n' '{answer}'\n")


def _program(path: Path, text: str = "#!/bin/sh\n") -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_the_best_of_a_tools_names_is_found(bin_folder: Path) -> None:
    assert tools.locate("llvm-lipo") is None
    _answering(bin_folder / "llvm-lipo", "LLVM version 19.1.7")
    assert tools.locate("llvm-lipo") == bin_folder / "llvm-lipo"
    _answering(bin_folder / "llvm-lipo-19", "LLVM version 19.1.7")
    assert tools.locate("llvm-lipo") == bin_folder / "llvm-lipo-19"


@pytest.mark.parametrize("name", [name for name, tool in tools.TOOLS.items() if tool.oldest])
def test_a_tool_that_is_too_old_counts_as_missing(bin_folder: Path, name: str) -> None:
    tool = tools.TOOLS[name]
    major, *minor = tool.oldest
    older = [major, minor[0] - 1] if minor and minor[0] else [major - 1, 99]
    for program in tool.programs:
        if program != "bazelisk":
            _answering(bin_folder / program, f"{program} version {'.'.join(map(str, older))}")
    assert tools.locate(name) is None
    right = bin_folder / tool.programs[0]
    _answering(right, f"{right.name} version {'.'.join(map(str, tool.oldest))}.1")
    assert tools.locate(name) == right


@pytest.mark.parametrize("older_first", [True, False])
def test_of_two_on_path_the_right_one_is_taken(
    bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, older_first: bool
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    old, new = (bin_folder, other) if older_first else (other, bin_folder)
    _answering(old / "llvm-objdump", "Debian LLVM version 14.0.6")
    _answering(new / "llvm-objdump", "Homebrew LLVM version 21.1.0")
    monkeypatch.setenv("PATH", f"{bin_folder}{os.pathsep}{other}")
    assert tools.locate("llvm-objdump") == new / "llvm-objdump"


def test_only_the_git_that_would_be_run_counts(
    bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    _answering(bin_folder / "git", "git version 2.30.2")
    _answering(tmp_path / "other/git", "git version 2.39.5 (Apple Git-154)")
    monkeypatch.setenv("PATH", f"{bin_folder}{os.pathsep}{tmp_path}/other")
    assert tools.locate("git") is None


def test_the_folder_of_debians_package_is_looked_into(
    bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "llvm-19"
    folder.mkdir()
    _answering(bin_folder / "llvm-nm", "Debian LLVM version 14.0.6")
    _answering(folder / "llvm-nm", "Debian LLVM version 19.1.7")
    beside = replace(tools.TOOLS["llvm-nm"], folders=(str(folder),))
    assert tools.find(beside) == folder / "llvm-nm"


@pytest.mark.parametrize(
    "script",
    [
        "echo no number here",
        "exit 1",
        "kill -9 $$",
        "while :; do echo x; done",
        "cat; echo no number after standard input",
    ],
)
def test_what_does_not_tell_a_version_will_not_do(bin_folder: Path, script: str) -> None:
    (bin_folder / "cat").symlink_to("/bin/cat")
    _program(bin_folder / "llvm-lipo", f"#!/bin/sh\n{script}\n")
    assert tools.locate("llvm-lipo") is None
    _program(bin_folder / "bazel", f"#!/bin/sh\n{script}\n")
    assert tools.locate("bazel") == bin_folder / "bazel"


def test_a_file_that_the_system_cannot_run_will_not_do(bin_folder: Path) -> None:
    _program(bin_folder / "llvm-lipo", "\0\0 no program")
    assert tools.locate("llvm-lipo") is None


def test_an_old_tool_is_told_with_the_version_seen_and_the_one_needed(
    bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(bin_folder / "apt-get", APT_GET)
    _answering(bin_folder / "llvm-lipo", "Debian LLVM version 14.0.6")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UsageError) as raised:
        tools.provide(["llvm-lipo"], lambda _line: None)
    assert f"{bin_folder}/llvm-lipo is 14.0.6, needed is 19 or newer" in raised.value.detail
    assert raised.value.hint == "type: sudo apt-get install llvm-19"


def test_root_on_debian_gets_its_tools_even_without_package_lists(
    bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(bin_folder / "apt-get", APT_GET)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    lines: list[str] = []
    tools.provide(["shellcheck"], lines.append)
    verbs = [line.split()[3] for line in (tmp_path / "log").read_text().splitlines()]
    assert verbs == ["install", "update", "install"]
    assert lines == ["installing shellcheck: apt-get install shellcheck"]
    tools.provide(["shellcheck"], lambda line: pytest.fail(f"said again: {line}"))


def test_a_user_on_debian_is_told_the_line_to_type(
    bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(bin_folder / "apt-get", APT_GET)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UsageError) as raised:
        tools.provide(["llvm-nm", "llvm-lipo", "bazel"], lambda _line: None)
    assert raised.value.hint == "type: sudo apt-get install bazel-bootstrap llvm-19"
    assert not (tmp_path / "log").exists()


def test_what_cannot_be_installed_is_an_error(
    bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(bin_folder / "apt-get", "#!/bin/sh\nexit 100\n")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UsageError, match="not on this machine, and needed: git"):
        tools.provide(["git"], lambda _line: None)


def test_a_mac_with_homebrew_gets_its_tools(
    bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    brew = (
        'echo "brew $*" >>"$LOG"\nprintf "#!/bin/sh\\n" >"$BIN/bazelisk"\nchmod +x "$BIN/bazelisk"'
    )
    _program(bin_folder / "brew", f"#!/bin/sh\n{brew}\n")
    tools.provide(["bazel"], lambda _line: None)
    assert (tmp_path / "log").read_text() == "brew install --quiet bazelisk\n"


def test_a_mac_without_homebrew_is_told_what_to_install(
    bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(UsageError) as raised:
        tools.provide(["bazel"], lambda _line: None)
    assert raised.value.hint == "type: brew install bazelisk"


def test_what_is_no_line_to_type_is_not_said_to_be_one(
    bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(UsageError) as raised:
        tools.provide(["git"], lambda _line: None)
    assert not (bin_folder / "apt-get").exists()
    assert raised.value.hint == "use your system's package manager, for: git"
