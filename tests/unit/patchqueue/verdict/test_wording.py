"""Why a patch has its status, in one line."""

from __future__ import annotations

import dataclasses

from tensorflow_macos_build.patchqueue.verdict import wording
from tensorflow_macos_build.patchqueue.verdict.status import ConflictReport, Evidence
from tensorflow_macos_build.patchqueue.verdict.upstream_commit import UpstreamCommit

COMMIT = UpstreamCommit("0123456789abcdef" * 3, "A <a@e>", "2024-01-02", "Add it", "")
LATER = UpstreamCommit("f" * 40, "A <a@e>", "2024-02-03", "Take it back", "")
CONFLICT = ConflictReport("a/f", "CONFLICT (contents)", "words", (), (), "", ())


def test_nothing_is_said_of_a_patch_without_evidence() -> None:
    assert wording.summary(Evidence()) == ""


def test_all_evidence_is_in_the_line() -> None:
    evidence = Evidence((COMMIT,), "recorded", (LATER,), (CONFLICT,), ("other",), ("g",), (LATER,))
    assert wording.summary(dataclasses.replace(evidence, refused=("r",))) == (
        "0123456789ab Add it (recorded); reverted in ffffffffffff Take it back; "
        "follows from other; a/f; text changed in g; by ffffffffffff Take it back; "
        "recorded for another context: r"
    )
