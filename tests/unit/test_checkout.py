"""How paths and command lines are shown to whoever typed one from anywhere."""

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build import checkout


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_a_command_line_is_the_words_to_a_shell(words: list[str]) -> None:
    assert shlex.split(checkout.command("rebase", *words)) == ["scripts/inv", "rebase", *words]


def test_a_program_on_path_is_called_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "inv"
    program.touch(0o755)
    monkeypatch.setattr(checkout, "_PROGRAM", str(program))
    assert checkout.command("build") == f"{program} build"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert checkout.command("build") == "inv build"
    other = tmp_path / "first/inv"
    other.parent.mkdir()
    other.touch(0o755)
    monkeypatch.setenv("PATH", f"{other.parent}:{tmp_path}")
    assert checkout.command("build") == f"{program} build"


def test_a_path_is_shown_as_it_is_typed_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert checkout.shown(tmp_path / "here/dist/a.whl") == Path("dist/a.whl")
    assert checkout.shown(tmp_path / "dist/a.whl") == tmp_path / "dist/a.whl"
    assert checkout.shown(Path("dist/a.whl")) == Path("dist/a.whl")
    (tmp_path / "here").rmdir()
    assert checkout.shown(tmp_path / "dist/a.whl") == tmp_path / "dist/a.whl"


def test_a_folder_is_recorded_from_the_checkout_and_an_address_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "_ROOT", str(tmp_path))
    (tmp_path / "here").mkdir()
    (tmp_path / "mirror").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert checkout.recorded("../mirror") == str(tmp_path / "mirror")
    assert checkout.recorded("https://example.org/x") == "https://example.org/x"
    monkeypatch.chdir(tmp_path)
    assert checkout.recorded("mirror") == "mirror"
