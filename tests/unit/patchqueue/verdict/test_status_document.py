from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.patchqueue.verdict import status_document
from tests.view_samples.queues import STATUSES

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.verdict.status import PatchStatus


@pytest.mark.parametrize("status", STATUSES, ids=lambda status: status.status.value)
def test_a_status_is_read_as_it_was_written(status: PatchStatus) -> None:
    evidence = replace(status.evidence, clean_after=("a.patch",))
    for patch in (status, replace(status, evidence=evidence, in_tree=True)):
        part = status_document.status_part(patch)
        assert status_document.read_status(part, patch.commit) == patch
