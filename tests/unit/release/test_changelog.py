"""A changelog made of fragments."""

from __future__ import annotations

from pathlib import Path

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.release import changelog

ROOT = Path(__file__).parents[3]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "docs/changes").mkdir(parents=True)
    (tmp_path / "CHANGELOG.md").write_text(
        f"# Changelog\n\n{changelog._UNRELEASED}\n## 0.1\n\n- Old.\n"
    )
    (tmp_path / "docs/changes/b.md").write_text("One thing,\nin two lines.\n")
    (tmp_path / "docs/changes/a.md").write_text("Another thing.\n")
    return tmp_path


def test_a_release_moves_the_fragments_above_the_older_sections(root: Path) -> None:
    changelog.release(root, "0.2")
    assert (root / "CHANGELOG.md").read_text() == (
        f"# Changelog\n\n{changelog._UNRELEASED}"
        "\n## 0.2\n\n- Another thing.\n- One thing,\n  in two lines.\n"
        "\n## 0.1\n\n- Old.\n"
    )
    assert changelog.load(root) == ()


def test_a_release_without_changes_is_refused(root: Path) -> None:
    changelog.release(root, "0.2")
    with pytest.raises(UsageError, match="no change to tell of"):
        changelog.release(root, "0.3")


def test_a_changelog_without_its_line_keeps_the_fragments(root: Path) -> None:
    (root / "CHANGELOG.md").write_text("# Changelog\n")
    with pytest.raises(UsageError, match="where a new section goes"):
        changelog.release(root, "0.2")
    assert len(changelog.load(root)) == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.md", ""),
        ("c.md", "a\n\nb\n"),
        ("c.md", "a\nb\nc\nd\n"),
        ("c.md", "# A title\n"),
        ("c.md", "- An item.\n"),
        ("c.txt", "A text.\n"),
        ("c.md", "Caf\udce9 in Latin 1.\n"),
    ],
)
def test_what_is_not_a_fragment_is_refused(root: Path, name: str, text: str) -> None:
    (root / "docs/changes" / name).write_text(text, errors="surrogateescape")
    with pytest.raises(UsageError) as raised:
        changelog.load(root)
    assert str(raised.value.where).partition(":")[0] == f"docs/changes/{name}"


def test_this_projects_changelog_can_take_a_release() -> None:
    assert changelog._UNRELEASED in (ROOT / "CHANGELOG.md").read_text()
