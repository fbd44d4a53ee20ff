"""What the flags of import and export ask for."""

from __future__ import annotations

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.exchange.exporting import ExportForm
from tensorflow_macos_build.patchqueue.exchange.importing import SourceKind
from tensorflow_macos_build.patchqueue.queue.metadata import NOTHING
from tensorflow_macos_build.tasks.patches import import_source, parse_form


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
