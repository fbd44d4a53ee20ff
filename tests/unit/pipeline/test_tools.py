"""Tools are found, installed where that is free, and asked for elsewhere."""

from __future__ import annotations

import os
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
        printf '#!/bin/sh\\n' >"$BIN/shellcheck"; chmod +x "$BIN/shellcheck" ;;
esac
"""

BREW = """\
#!/bin/sh
echo "brew $*" >>"$LOG"
printf '#!/bin/sh\\n' >"$BIN/bazelisk"
chmod +x "$BIN/bazelisk"
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
    monkeypatch.setattr(tools, "_HOMEBREW_LLVM", ())
    return folder


def _program(path: Path, text: str = "#!/bin/sh\n") -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_the_best_of_a_tools_names_is_found(bin_folder: Path) -> None:
    assert tools.locate("llvm-lipo") is None
    _program(bin_folder / "llvm-lipo")
    assert tools.locate("llvm-lipo") == bin_folder / "llvm-lipo"
    _program(bin_folder / "llvm-lipo-19")
    assert tools.locate("llvm-lipo") == bin_folder / "llvm-lipo-19"


def test_root_on_debian_gets_its_tools_even_without_package_lists(
    bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(bin_folder / "apt-get", APT_GET)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    said: list[str] = []
    tools.provide(["shellcheck"], said.append)
    verbs = [line.split()[3] for line in (tmp_path / "log").read_text().splitlines()]
    assert verbs == ["install", "update", "install"]
    assert said == ["installing shellcheck: apt-get install shellcheck"]
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
