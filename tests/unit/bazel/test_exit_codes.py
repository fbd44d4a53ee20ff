"""Bazel's exit statuses: who has to do something, and that none is left without a meaning."""

from __future__ import annotations

import pytest

from tensorflow_macos_build.bazel.exit_codes import ExitKind, meaning

OF_BUILD = {
    1: "BUILD_FAILURE",
    2: "COMMAND_LINE_ERROR",
    7: "ANALYSIS_FAILURE",
    8: "INTERRUPTED",
    9: "LOCK_HELD_NOBLOCK_FOR_LOCK",
    32: "REMOTE_ENVIRONMENTAL_ERROR",
    33: "OOM_ERROR",
    34: "REMOTE_ERROR",
    36: "LOCAL_ENVIRONMENTAL_ERROR",
    37: "BLAZE_INTERNAL_ERROR",
    38: "TRANSIENT_BUILD_EVENT_SERVICE_UPLOAD_ERROR",
    39: "REMOTE_CACHE_EVICTED",
    45: "PERSISTENT_BUILD_EVENT_SERVICE_UPLOAD_ERROR",
    48: "EXTERNAL_DEPS_ERROR",
}
"""The statuses that `build` can end with, by their names in Bazel's ExitCode.java."""


@pytest.mark.parametrize("status", OF_BUILD, ids=OF_BUILD.values())
def test_every_status_of_a_build_has_a_meaning(status: int) -> None:
    assert "unknown" not in meaning(status).what


def test_the_source_is_blamed_for_nothing_but_what_it_can_have_done() -> None:
    """Bazel calls the statuses from 32 on errors of the infrastructure, not of the source."""
    by_kind = {
        kind: {status for status in range(1, 256) if meaning(status).kind is kind}
        for kind in ExitKind
    }
    assert by_kind[ExitKind.BUILD] == {1, 7}
    assert by_kind[ExitKind.USAGE] == {2}
    assert by_kind[ExitKind.INTERRUPTED] == {8}


def test_a_signal_that_ended_the_client_is_named() -> None:
    assert meaning(-9).kind is ExitKind.ENVIRONMENT
    assert "signal 9" in meaning(-9).what
