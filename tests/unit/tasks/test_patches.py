"""What the flags of import and export ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.exchange.exporting import ExportForm
from tensorflow_macos_build.patchqueue.exchange.importing import SourceKind
from tensorflow_macos_build.patchqueue.queue.metadata import NOTHING
from tensorflow_macos_build.tasks.patches import import_source, merging_range, parse_form

if TYPE_CHECKING:
    from pathlib import Path


def test_an_export_names_its_form_and_where_it_goes() -> None:
    assert parse_form("branch", "", "repository") is ExportForm.BRANCH
    assert parse_form("quilt", "out", "") is ExportForm.QUILT
    for to, out, repository in (("zip", "out", ""), ("branch", "out", ""), ("mailbox", "", "r")):
        with pytest.raises(UsageError, match="--to"):
            parse_form(to, out, repository)


def test_an_import_has_one_source_and_a_base() -> None:
    source = import_source({"range": "a..b", "diff": ""}, "embedded:", "", "", NOTHING)
    assert (source.kind, source.location, source.against) == (SourceKind.RANGE, "a..b", "a")
    for sources, against, author in (
        ({"range": "", "diff": ""}, "v1", ""),
        ({"range": "a..b", "diff": "x"}, "v1", ""),
        ({"diff": "x"}, "", ""),
        ({"diff": "x"}, "v1", "Nobody"),
    ):
        with pytest.raises(UsageError):
            import_source(sources, "embedded:", against, author, NOTHING)


def test_merges_of_upstream_are_taken_out_of_ranges_alone(tmp_path: Path) -> None:
    assert merging_range("diff", "", first_parent=False) is None
    by_commit, by_folder = merging_range("range", "", first_parent=True), None
    assert by_commit is not None
    assert by_commit.topic_of is None
    by_folder = merging_range("range", "2", first_parent=False)
    assert by_folder is not None
    assert by_folder.topic_of is not None
    assert by_folder.topic_of("a/b/c/d") == "a/b"
    wrong = tmp_path / "topics.yaml"
    wrong.write_text("core: {a: b}\n", encoding="utf-8")
    for kind, by_topic, first_parent in (
        ("diff", "", True),
        ("range", "2", True),
        ("range", "0", False),
        ("range", str(wrong), False),
        ("range", str(tmp_path / "none.yaml"), False),
    ):
        with pytest.raises(UsageError):
            merging_range(kind, by_topic, first_parent=first_parent)
